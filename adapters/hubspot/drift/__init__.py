"""Where HubSpot and the ledger differ: since when, which side wrote last, and what may be done about it."""
