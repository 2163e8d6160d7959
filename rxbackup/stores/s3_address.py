"""Where a bucket is: the settings of an S3 store, checked, and the one address that follows from them."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, urlsplit

from rxbackup.errors import StoreMisaddressed, StoreUnavailable, UsageError
from rxbackup.stores.base import MAX_NAME_LENGTH

STYLES = ("auto", "path", "virtual")

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_PREFIX = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)
# Their host names say the region: s3.eu-central-1.amazonaws.com, s3.us-west-004.backblazeb2.com.
_TELLING_HOST = re.compile(r"s3[.-]([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|backblazeb2\.com)")
_METADATA = frozenset({"fd00:ec2::254", "100.100.100.200"})


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket, or a prefix in one, and the credentials for it.

    Attributes:
        bucket: its name.
        prefix: what every key begins with, without a slash at its ends; empty for the whole bucket.
        region: for the signature.
        endpoint: where requests go, with the bucket's name in it where `virtual` is set; no slash at its end.
        virtual: the bucket is named in the host, not in the path.
        allow_http: the endpoint may be plain http.
    """

    bucket: str
    prefix: str
    region: str
    endpoint: str
    virtual: bool
    allow_http: bool
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Self:
        """Read the settings of a recipe: bucket, prefix, region, endpoint, style, allow_http, and the credentials.

        Raises:
            UsageError: something is missing or malformed, or the endpoint is one that nobody should be sent to.
        """
        bucket = settings.get("bucket", "")
        if not _BUCKET.fullmatch(bucket):
            raise UsageError(f"{bucket[:80]!r} is no name of a bucket.")
        endpoint = settings.get("endpoint", "").strip().rstrip("/")
        allow_http = settings.get("allow_http", "") == "1"
        parts = _endpoint_parts(endpoint, allow_http=allow_http) if endpoint else None
        region = _region(settings.get("region", "").strip(), parts)
        virtual = _is_virtual(settings.get("style") or "auto", bucket, parts)
        return cls(
            bucket=bucket,
            prefix=_prefix(settings.get("prefix", "")),
            region=region,
            endpoint=_address(bucket, region, parts, virtual=virtual),
            virtual=virtual,
            allow_http=allow_http,
            access_key=_credential(settings, "access_key"),
            secret_key=_credential(settings, "secret_key"),
            session_token=settings.get("session_token", ""),
        )

    @property
    def host(self) -> str:
        """The host that requests go to, without its port."""
        return urlsplit(self.endpoint).hostname or ""

    @property
    def scheme(self) -> str:
        """`https`, or `http` if that is allowed."""
        return urlsplit(self.endpoint).scheme

    def key(self, name: str) -> str:
        """The key of an object of this store."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def describe(self) -> str:
        """For people: bucket, prefix and host."""
        return f"bucket {self.bucket}{'/' if self.prefix else ''}{self.prefix} at {self.host}"


def refuse_link_local(host: str) -> None:
    """Refuse a host that is, or leads to, a link-local address: there live the keys of a cloud's machines.

    Raises:
        StoreMisaddressed: it is such an address.
        StoreUnavailable: the name leads nowhere.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise StoreUnavailable(
            f"The name {host} leads to no address.",
            hint="Check the endpoint of the store for a slip, and that this machine can look up names.",
        ) from error
    for entry in found:
        if _is_link_local(str(entry[4][0])):
            raise StoreMisaddressed(f"{host} is a link-local address: no store is there.")


def _is_link_local(address: str) -> bool:
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    return (mapped or known).is_link_local or str(known) in _METADATA


def _endpoint_parts(endpoint: str, *, allow_http: bool) -> SplitResult:
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        raise UsageError(f"{endpoint[:80]!r} is no address of an S3 server.") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise UsageError(
            f"{endpoint[:80]!r} is no address of an S3 server.", hint="Write it like https://s3.example.org:9000."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError("The endpoint must not hold a user, a query or a fragment.")
    if parts.scheme == "http" and not allow_http:
        raise UsageError(
            "The endpoint is plain http: whoever is on the way can read and change what is sent.",
            hint="Use https, or allow http expressly if the way is your own.",
        )
    if _is_link_local(parts.hostname) or parts.hostname.startswith("metadata.google."):
        raise UsageError(f"{parts.hostname} is a link-local address: no store is there.")
    return parts


def _region(region: str, parts: SplitResult | None) -> str:
    host = parts.hostname or "" if parts else ""
    if not region and host:
        telling = _TELLING_HOST.search(host)
        region = telling[1] if telling else "auto" if host.endswith(".r2.cloudflarestorage.com") else "us-east-1"
    if not _REGION.fullmatch(region):
        raise UsageError(
            f"{region[:40]!r} is no region." if region else "A store at AWS needs its region.",
            hint="Name the region of the bucket, for example eu-central-1.",
        )
    return region


def _is_virtual(style: str, bucket: str, parts: SplitResult | None) -> bool:
    if style not in STYLES:
        raise UsageError(f"{style[:20]!r} is no style of addresses; there are: {', '.join(STYLES)}.")
    # A dot in the name would leave the wildcard of AWS's certificate; other servers seldom know virtual hosts.
    return style == "virtual" or (style == "auto" and parts is None and "." not in bucket)


def _address(bucket: str, region: str, parts: SplitResult | None, *, virtual: bool) -> str:
    if parts is None:
        tail = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        host = f"s3.{region}.{tail}"
        return f"https://{bucket}.{host}" if virtual else f"https://{host}"
    netloc = parts.netloc
    if virtual and not netloc.startswith(f"{bucket}."):
        netloc = f"{bucket}.{netloc}"
    return f"{parts.scheme}://{netloc}{parts.path}"


def _prefix(prefix: str) -> str:
    trimmed = prefix.strip().strip("/")
    if trimmed and (len(trimmed) > MAX_NAME_LENGTH or not _PREFIX.fullmatch(trimmed)):
        raise UsageError(f"{prefix[:80]!r} cannot be the prefix of a store.", hint="Use letters, digits, - _ . and /.")
    return trimmed


def _credential(settings: Mapping[str, str], key: str) -> str:
    value = settings.get(key, "")
    # Nothing else is ever asked for credentials: no environment, no file, no metadata service of the machine.
    if not value:
        raise UsageError("A store of kind s3 needs an access key and a secret key.")
    if not value.isascii() or not value.isprintable():
        raise UsageError(f"The {key.replace('_', ' ')} of the store holds characters that no such key has.")
    return value
