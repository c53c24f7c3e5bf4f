"""Secrets masked in texts, settings and log records, and refused on the command line."""

from matchclf.redaction.masking import MASK, redact, redact_record, redact_tree, refuse_secrets
from matchclf.redaction.names import secret_key

__all__ = ["MASK", "redact", "redact_record", "redact_tree", "refuse_secrets", "secret_key"]
