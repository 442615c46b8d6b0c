"""What of a portal's settings makes marketing contacts nobody asked for, and what its API lets us do."""
