"""Secrets that show by their own look, wherever they stand."""

import re

# The first group stays. Quantifiers are bounded or possessive, so that no text takes long.
PEM = r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,9}-----)(?:(?!-----)[\s\S])*+(?:-----END [A-Z0-9 ]{1,60}-----)?"
# After a name or a key id. A digest is left alone: it has no capitals.
AWS = (
    r"((?:secret|Secret|SECRET|key|Key|KEY|aws|Aws|AWS|A[KS]IA[A-Z0-9]{16})[\s\S]{0,40}?(?<![A-Za-z0-9/+]))"
    r"(?=[^A-Z\s]{0,39}[A-Z])(?=[^a-z\s]{0,39}[a-z])(?=[^\d\s]{0,39}\d)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
AWS_ID = r"()A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
# GitHub, GitLab, Slack, Hugging Face, npm, PyPI, Google, Databricks, OpenAI and its like, Stripe, JSON Web Tokens.
SERVICES = (
    r"()(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2}))(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|gl[a-z]{2,6}-[\w-]{20,}|xox[a-z]-[\w-]{10,}"
    r"|xapp-[\w-]{10,}|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{50,}|AIza[\w-]{35}|dapi[0-9a-f]{32}"
    r"|[sr]k[-_](?=[\w-]{0,99}\d)(?=[\w-]{0,99}[A-Z])[\w-]{20,}|eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*)"
)
# Before the @ of an address: user and password (a port is none, nor is a reference), or a long token alone.
USERINFO = (
    r"""(://)(?:[^\s/?#:@"'<>]{0,200}+:(?!\d{1,5}(?:[/?#\s]|$)|\{\w{0,99}\}@|\$\{?[A-Z_]{1,99}\}?@|\*+@)"""
    r"""[^\s@"'<>]{1,400}+(?:@[^\s@/?#"'<>]{0,200}+(?=@)){0,3}|[\w.~%+-]{20,400}+)(?=@)"""
)
SIGNED = (
    r"""([?&;](?:sig|PWD|[Ss]ignature|[Xx]-[Aa]mz-(?:[Ss]ignature|[Cc]redential|[Ss]ecurity-[Tt]oken))=)"""
    r"""[^&;\s"'<>]+"""
)
BEARER = r"((?:[Bb]earer|[Bb]asic|BEARER|BASIC)[ \t]{1,4})(?=[\w.~+/-]{0,99}\d)[\w.~+/-]{12,}=*"
SHAPES = [re.compile(s) for s in (PEM, AWS, AWS_ID, SERVICES, USERINFO, SIGNED, BEARER)]


def mask_shapes(text: str, mask: str) -> str:
    """The text without private keys, keys of clouds and services, signatures, and what stands before an address."""
    for shape in SHAPES:
        text = shape.sub(rf"\g<1>{mask}", text)
    return text
