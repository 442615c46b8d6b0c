"""Services that send e-mail and report what came of it: Postmark, SendGrid, Amazon SES. Their words stay here."""
