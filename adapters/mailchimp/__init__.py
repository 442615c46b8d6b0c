"""Mailchimp: audience exports. Its words stay in this folder."""
