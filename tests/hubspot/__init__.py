"""A HubSpot to work against: stateful, over real HTTP, written from what is documented and nothing else."""
