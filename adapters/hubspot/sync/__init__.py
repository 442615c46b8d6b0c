"""The way out: HubSpot kept in step with what the ledger answers. Nothing here can turn an opted-out address on."""
