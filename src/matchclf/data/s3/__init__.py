"""Match files from S3 and from servers that speak its protocol; the only importer of boto3."""

from matchclf.data.s3.download import fetch
from matchclf.data.s3.location import Location
from matchclf.data.s3.sidecar import Sidecar, read_sidecar, verify

__all__ = ["Location", "Sidecar", "fetch", "read_sidecar", "verify"]
