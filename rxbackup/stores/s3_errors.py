"""What an S3 server or the way to it answered, in words for a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from rxbackup.errors import (
    ObjectNotFound,
    RxbackupError,
    StoreDenied,
    StoreFull,
    StoreMisaddressed,
    StoreMissing,
    StoreNotWritable,
    StoreTrouble,
    StoreUnavailable,
)

# obstore hands errors on as text only; the tests of this module pin the shapes that it must keep.
_STATUS = re.compile(r"status code: (\d{3})\b")
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,80})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,400})</Message>")
_REGION = re.compile(r"<Region>([a-z0-9-]{1,40})</Region>")
_KIND = re.compile(r"HttpError \{\s+kind: (\w+)")
_CERTIFICATE = re.compile(r"invalid peer certificate: (\w+)")
_BARE_REDIRECT = "redirect without LOCATION"
_UNEXPECTED = ("Unable to extract metadata", "ETag Header missing", "Got invalid", "Error getting list")

_DENIED = {
    "InvalidAccessKeyId": "does not know the access key",
    "SignatureDoesNotMatch": "refuses the signature: the secret key is not right",
    "ExpiredToken": "says that the credentials have expired",
    "TokenRefreshRequired": "says that the credentials have expired",
    "InvalidToken": "refuses the session token",
    "InvalidClientTokenId": "does not know the access key",
    "AccountProblem": "says that there is a problem with the account",
    "AllAccessDisabled": "has disabled all access",
}
_NOT_ALLOWED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage"})
_ELSEWHERE = frozenset(
    {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
_WIRE = {
    "Connect": "no connection could be made",
    "Timeout": "no answer came in time",
    "Interrupted": "the connection broke in the middle",
}
_CLOCK = "RequestTimeTooSkewed"
_RIGHTS = {"read": "s3:GetObject", "list": "s3:ListBucket", "write": "s3:PutObject", "delete": "s3:DeleteObject"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What of an answer counts.

    Attributes:
        status: of HTTP; 0 if no answer came.
        code: S3's word for the error; empty where the answer had none, as answers to HEAD never do.
        said: the server's sentence, for people.
        region: where the bucket is, if the server told.
        text: what obstore says, to look for more.
    """

    status: int
    code: str
    said: str
    region: str
    text: str

    @classmethod
    def of(cls, error: Exception) -> Answer:
        """Read an obstore error."""
        text = str(error)
        status, code, said, region = (found.search(text) for found in (_STATUS, _CODE, _MESSAGE, _REGION))
        return cls(
            status=int(status[1]) if status else 0,
            code=code[1] if code else "",
            said=_plain(said[1]) if said else "",
            region=region[1] if region else "",
            text=text,
        )

    @classmethod
    def of_missing_object(cls) -> Answer:
        """What a server would say of an object that is not there."""
        return cls(status=404, code="NoSuchKey", said="", region="", text="")

    @property
    def is_silent(self) -> bool:
        """The server refused without a word of its own."""
        return self.status >= HTTPStatus.MULTIPLE_CHOICES and not self.code


def told(answer: Answer, place: str, *, doing: str, name: str) -> RxbackupError:
    """The error that a person can act on.

    Args:
        answer: what came back.
        place: `S3Address.describe()`.
        doing: read, list, write or delete.
        name: of the object, for the message.
    """
    if answer.code == "NoSuchKey":
        return ObjectNotFound(f"There is no object {name} in {place}.")
    if answer.status in _NOT_ALLOWED and not _is_known(answer):
        return _not_allowed(answer, place, doing)
    if _is_known(answer):
        return _known(answer, place)
    return _other(answer, f"Cannot {doing} {name} in {place}" if name else f"Cannot {doing} in {place}")


def _is_known(answer: Answer) -> bool:
    """The server gave a reason that says all, whatever was asked."""
    return (
        answer.code in _DENIED.keys() | _ELSEWHERE | _FULL | {"NoSuchBucket", _CLOCK}
        or answer.status in _REDIRECTS
        or answer.status == HTTPStatus.INSUFFICIENT_STORAGE
        or _BARE_REDIRECT in answer.text
    )


def _known(answer: Answer, place: str) -> RxbackupError:
    if answer.code == "NoSuchBucket":
        return StoreMissing(f"The {place} does not exist.", hint=_MISSING_HINT)
    if answer.code in _DENIED:
        return StoreDenied(f"The {place} {_DENIED[answer.code]}.", hint=_CREDENTIALS_HINT)
    if answer.code == _CLOCK:
        return StoreDenied(
            f"The {place} refuses requests because this machine's clock is wrong by more than 15 minutes.",
            hint="Set the clock of this machine, best by network time, then try again.",
        )
    if answer.code in _FULL or answer.status == HTTPStatus.INSUFFICIENT_STORAGE:
        return StoreFull(f"The {place} is full.")
    return _elsewhere(answer, place)


def _elsewhere(answer: Answer, place: str) -> RxbackupError:
    where = f"its region is {answer.region}" if answer.region else "it is in another region"
    return StoreMisaddressed(
        f"The {place} is not there: {where}.",
        hint="Give the store the region of the bucket, and the endpoint of that region if it names one.",
    )


def _not_allowed(answer: Answer, place: str, doing: str) -> RxbackupError:
    right = _RIGHTS[doing]
    message = f"The {place} does not let these credentials {doing}{_quoted(answer)}."
    if doing in ("write", "delete"):
        hint = f"Grant them {right} on the store's objects; an object lock or a full account refuses like this too."
        return StoreNotWritable(message, hint=hint)
    return StoreDenied(message, hint=f"Grant them {right} on the bucket, or correct the credentials.")


def _other(answer: Answer, what: str) -> RxbackupError:
    if answer.status == 0:
        return _no_answer(answer.text, what)
    message = f"{what}: the server answered {answer.status}{_quoted(answer)}."
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return StoreUnavailable(message)
    if answer.is_silent:
        return StoreMisaddressed(f"{what}: the server answered {answer.status} without a reason, unlike an S3 server.")
    return StoreTrouble(message)


def _no_answer(text: str, what: str) -> RxbackupError:
    certificate = _CERTIFICATE.search(text)
    if certificate:
        return StoreMisaddressed(f"{what}: the server's certificate is not trusted ({certificate[1]}).", hint=_TLS_HINT)
    kind = _KIND.search(text)
    if kind is None and any(sign in text for sign in _UNEXPECTED):
        return StoreMisaddressed(f"{what}: the answer is not that of an S3 server.")
    return StoreUnavailable(f"{what}: {_WIRE.get(kind[1] if kind else '', 'the connection failed')}.")


def _quoted(answer: Answer) -> str:
    words = ": ".join(word for word in (answer.code, answer.said) if word)
    return f" ({words.rstrip('.')})" if words else ""


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text).strip()[:200]


_MISSING_HINT = "Check the name of the bucket. Nothing was made in its place and nothing deleted."
_CREDENTIALS_HINT = "Give the store credentials that are valid; stored backups are not touched."
_TLS_HINT = "Give the server a certificate for this name from an authority that this machine trusts."
