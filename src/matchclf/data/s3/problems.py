"""What goes wrong between here and the server, as sentences: never the library's own words, which may tell secrets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

from matchclf.data.s3.location import REGION, Location
from matchclf.errors import SourceError

CREDENTIALS = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile in AWS_PROFILE, or the role"
ADVICE = (
    (("NoSuchBucket",), "{place}: there is no bucket {bucket} at {server}. Check data.bucket and data.endpoint_url"),
    (("NoSuchKey", "404"), "{place}: there is no such object. Check data.key; that of a folder ends with '/'"),
    (("NoSuchVersion",), "{place} has no version {version}; it may have been deleted for good"),
    (
        ("MethodNotAllowed", "405"),
        "{place}: the version asked for says that the object was deleted. Name an earlier one",
    ),
    (
        ("AccessDenied", "AllAccessDisabled", "403"),
        "{place} may not be read with the credentials in use; they need s3:GetObject, and s3:ListBucket for a folder",
    ),
    (
        ("SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidSecurity", "AuthFailure", "401"),
        "{place}: {server} does not accept the credentials ({code}). " + CREDENTIALS,
    ),
    (
        ("ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"),
        "{place}: the credentials have expired or their token is wrong ({code}). Log in again",
    ),
    (("RequestTimeTooSkewed",), "{place}: the clock of this machine and that of {server} differ. Set the clock"),
    (("PreconditionFailed", "412"), "{place} was replaced while it was being read. Run again to get the new object"),
    (
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "400"),
        "{place} does not seem to lie in the region {region} ({code}). Set data.region to the bucket's{found}",
    ),
    (
        ("301", "302", "307", "308"),
        "{place}: {server} sends the request elsewhere ({code}). Set data.region to the bucket's{found}, or check "
        "http and https in data.endpoint_url",
    ),
    (("InvalidObjectState",), "{place} is archived; restore it before it can be read"),
    (
        ("SlowDown", "ServiceUnavailable", "InternalError", "500", "502", "503", "504"),
        "{place}: {server} is overloaded or in trouble ({code}). Try again later",
    ),
)
SENTENCES = {code: sentence for codes, sentence in ADVICE for code in codes}
OTHER = "{place}: {server} refused the request ({code}). Check data.bucket, data.key, data.region and data.endpoint_url"


@contextmanager
def translating(location: Location, key: str) -> Iterator[None]:
    """Turn whatever boto3 raises in the block into a SourceError that names bucket, key and what to do."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    damaged = (ResponseParserError, HTTPError, HTTPException, OSError, ValueError, KeyError, TypeError, Warning)
    try:
        yield
    except ClientError as problem:
        raise SourceError(_told(problem.response, location, key)) from None
    except (BotoCoreError, *damaged) as problem:
        raise SourceError(f"{location.name_of(key)}: {_broken(problem, location.server)}.") from None


def _told(response: dict[str, Any], location: Location, key: str) -> str:
    error, about = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(error.get("Code", "")), str(about.get("HTTPStatusCode", ""))
    known = code if re.fullmatch(r"\w{1,64}", code) else status
    region = str(about.get("HTTPHeaders", {}).get("x-amz-bucket-region") or error.get("Region", ""))
    sentence = SENTENCES.get(known) or SENTENCES.get(status if status[:1] == "5" else "") or OTHER
    return f"{sentence}.".format(
        place=location.name_of(key),
        bucket=location.bucket,
        server=location.server,
        version=location.version_id,
        region=location.region or "of the AWS settings",
        found=f", {region}" if REGION.fullmatch(region) else "",
        code=f"HTTP {known}" if known == status else known,
    )


def _broken(problem: Exception, server: str) -> str:
    from botocore import exceptions as botocore

    unknown = (botocore.NoCredentialsError, botocore.PartialCredentialsError, botocore.CredentialRetrievalError)
    profile = (
        botocore.ProfileNotFound,
        botocore.ConfigNotFound,
        botocore.ConfigParseError,
        botocore.InvalidConfigError,
    )
    tokens = (botocore.TokenRetrievalError, botocore.NoAuthTokenError, botocore.SSOError, botocore.LoginError)
    kinds: tuple[tuple[Any, str], ...] = (
        (unknown, f"no usable credentials were found. {CREDENTIALS}"),
        (profile, "the AWS settings cannot be used. Check AWS_PROFILE and the files in ~/.aws"),
        (tokens, "the login has ended. Log in again"),
        (botocore.FlexibleChecksumError, "the content does not have the checksum that the server told. Run again"),
        (botocore.ReadTimeoutError, f"{server} stopped answering. Run again"),
        (botocore.SSLError, f"{server} offers no trusted https. Name the certificate's authority in AWS_CA_BUNDLE"),
        (botocore.ConnectionError, f"{server} cannot be reached. Check data.endpoint_url and the network"),
        ((botocore.HTTPClientError, botocore.IncompleteReadError), "the connection was cut. Run again"),
        (botocore.BotoCoreError, f"the request cannot be made ({type(problem).__name__}). Check the AWS settings"),
    )
    found = [sentence for kind, sentence in kinds if isinstance(problem, kind)]
    return found[0] if found else f"{server} gave an answer that cannot be read. Check data.endpoint_url"
