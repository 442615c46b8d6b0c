"""HubSpot read through its API into the ledger: page by page, each fact once, going on where it was left."""
