"""Secrets masked in texts, settings and log records, and refused on the command line."""

from matchclf.redaction.names import secret_key
from matchclf.redaction.redact import MASK, redact, redact_record, redact_tree, refuse_secrets

__all__ = ["MASK", "redact", "redact_record", "redact_tree", "refuse_secrets", "secret_key"]
