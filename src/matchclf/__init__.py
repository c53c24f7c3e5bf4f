"""Experiment runner for football match outcome classification: home win, draw, away win."""

__version__ = "0.1.0"
