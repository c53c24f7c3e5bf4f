"""Plots for people: drawn on figures of their own, without a display."""
