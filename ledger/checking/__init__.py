"""A ledger's stores, checked whole: what they hold is read and compared, and nothing is changed."""
