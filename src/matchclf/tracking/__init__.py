"""Runs, tags, scores and artifacts in MLflow; nothing outside this folder imports mlflow."""
