"""HubSpot's API: one client with its rates, and the calls that the rest of the program makes through it."""
