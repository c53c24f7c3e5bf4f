"""Where matches come from: one schema, its checks, and one reader a format."""
