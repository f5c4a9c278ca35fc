"""Webhooks of a server, on the side of who gets them: whether they are what they say."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import cast

from . import types
from ._problems import PenstockError

_PREFIX = "whsec_"


class InvalidWebhook(PenstockError, ValueError):
    """What came is not signed by the server, or is too old, or is no webhook at all: answer 400, and leave it."""


def verify_webhook(
    body: bytes | str, headers: Mapping[str, str], secrets: str | Iterable[str], *, tolerance: float = 300
) -> types.WebhookEvent:
    """The event that a request told of, once it is certain that one of the secrets has signed it.

    `body` is the request's, byte by byte as it came; `headers` are found in any case. `secrets` are those of the
    server's `--webhook-secret-file` (`whsec_…`), one or several. One that was signed more than `tolerance` seconds from
    now is refused, so that nobody sends it again much later; what comes twice within that has the same `webhook-id`.
    """
    content = body.encode() if isinstance(body, str) else bytes(body)
    given = {name.lower(): value for name, value in headers.items()}
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    missing = [name for name in names if name not in given]
    if missing:
        raise InvalidWebhook(f"the request has no header {missing[0]}")
    id, timestamp, signatures = (given[name] for name in names)
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(time.time() - int(timestamp[:12])) > tolerance:
        raise InvalidWebhook(f"webhook-timestamp is {timestamp[:20]}, more than {tolerance:g} s from now")
    signed = f"{id}.{timestamp}.".encode() + content
    expected = [_signature(secret, signed) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    # All are compared, and in constant time.
    matches = [hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in signatures.split()]
    if not any(matches):
        raise InvalidWebhook("no signature in webhook-signature is of these secrets")
    return cast("types.WebhookEvent", json.loads(content))


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"a secret is {_PREFIX} and bytes in base 64") from None
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
