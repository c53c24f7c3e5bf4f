"""Experiment runner for football match outcome classification: home win, draw, away win."""

__version__ = "0.1.0"

from matchclf.threads import bound_threads

bound_threads()  # before anything loads the libraries that read it
