"""Reports for people, from MLflow runs alone: one page a kind, as HTML, Markdown and CSV."""
