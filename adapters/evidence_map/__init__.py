"""The evidence map, `audit.toml`: what forms, sales, subscription types and campaigns were, and who says so."""
