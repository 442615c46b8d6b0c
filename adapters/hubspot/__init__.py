"""HubSpot: its exports read, its words understood. Nothing outside this folder knows them."""
