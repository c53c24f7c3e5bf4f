"""Hydra looks for plugins here; the work is done in matchclf.search."""
