"""Delivers one message and reports whether it arrived, did not arrive, or may have arrived.

Apprise sends e-mail, webhook calls and messages to many services, but returns only True or False. Its log shows what
False means: after a refusal or a failed connection the message certainly did not arrive; after a connection that broke
or timed out during transmission it is unknown.
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.app.alerts.outbox import Message
from pipeline.app.alerts.rules import service_of

ARRIVED, NOT_ARRIVED, UNKNOWN = "arrived", "not arrived", "unknown"
TIMEOUT_SECONDS = 60.0
_NEVER_CONNECTED = re.compile(
    r"Connection error while submitting email|Failed to establish a new connection|NameResolutionError|"
    r"connect timeout=|Connection refused|SSLError|CERTIFICATE_VERIFY_FAILED|InvalidURL|Invalid URL"
)
_REFUSED = re.compile(r"error=(\d{3})\b|\((\d{3}), b['\"]|was refused: (\d{3})")
_MAY_HAVE_ARRIVED = {"408", "504", "524"}  # a gateway gave up on a server that may have accepted the message


@dataclass(frozen=True, slots=True)
class Delivery:
    """Result of one attempt: a status and, unless the message arrived, the reason."""

    status: str
    reason: str = ""


@dataclass(slots=True)
class _Attempt:
    result: bool | None = None
    error: str = ""
    lines: list[str] = field(default_factory=list)


class _Listener(logging.Handler):
    def __init__(self, attempt: _Attempt) -> None:
        super().__init__(logging.DEBUG)
        self.attempt = attempt

    def emit(self, record: logging.LogRecord) -> None:
        self.attempt.lines.append(record.getMessage()[:500])


def send(message: Message, address: str, seconds: float = TIMEOUT_SECONDS) -> Delivery:
    """Send a message once, within `seconds`. The thread keeps the program responsive to signals."""
    attempt = _Attempt()
    thread = threading.Thread(target=_send, args=(message, address, attempt), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return Delivery(UNKNOWN, f"no answer within {seconds:.0f} seconds")
    if attempt.result:
        return Delivery(ARRIVED)
    log = " ".join([*attempt.lines, attempt.error])
    reason = without_secrets(_reason(attempt), address)
    if attempt.error and not attempt.lines:
        return Delivery(NOT_ARRIVED, reason)
    if _NEVER_CONNECTED.search(log):
        return Delivery(NOT_ARRIVED, reason)
    refused = _REFUSED.search(log)
    if refused and next(filter(None, refused.groups())) not in _MAY_HAVE_ARRIVED:
        return Delivery(NOT_ARRIVED, reason)
    return Delivery(UNKNOWN, reason)


def without_secrets(text: str, address: str) -> str:
    """Mask every part of an address in a text, such as passwords, tokens and paths; hosts and e-mail addresses stay."""
    try:
        parts = urlsplit(address)
        known = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query)), parts.password or ""]
    except ValueError:
        known = re.split(r"[/?&=:]", address.partition("://")[2])
    known += [] if "mailto" in address[:8] else [address.partition("://")[2].partition("@")[0]]
    plain = {form for one in known for form in (one, unquote(one)) if "@" not in form}
    for secret in sorted((one for one in plain if len(one) > 3), key=len, reverse=True):
        text = text.replace(secret, "****")
    return re.sub(r"(with url: )\S+", r"\1****", text)


def _send(message: Message, address: str, attempt: _Attempt) -> None:
    log, listener = logging.getLogger("apprise"), _Listener(attempt)
    try:
        service = service_of(address)
        if service is None:
            raise ValueError("the address can no longer be used")
        _label(service, message)
        before, propagate = log.level, log.propagate
        log.addHandler(listener)
        log.setLevel(logging.DEBUG)
        log.propagate = False
        attempt.lines.clear()
        try:
            attempt.result = bool(service.notify(body=message.body, title=message.subject, body_format="text"))
        finally:
            log.removeHandler(listener)
            log.setLevel(before)
            log.propagate = propagate
    except Exception as error:  # whatever a service raises, only this message failed
        attempt.error = f"{type(error).__name__}: {error}"[:300]


def _label(service: Any, message: Message) -> None:
    """Add the message id, so that recipients can detect duplicates, and for webhooks the items as data."""
    service.overflow_mode = "truncate"  # never split a message
    headers = getattr(service, "headers", None)
    if isinstance(headers, dict):
        headers["X-Oversight-Message"] = message.message_id
        if hasattr(service, "payload_extras"):
            headers["Idempotency-Key"] = message.message_id
    extras = getattr(service, "payload_extras", None)
    if isinstance(extras, dict) and type(service).__name__ == "NotifyJSON":
        extras |= {"message_id": message.message_id, "alert": message.alert, "items": list(message.items)}


def _reason(attempt: _Attempt) -> str:
    """Return the first line of the log that reports an error, with socket details."""
    errors = [line for line in attempt.lines if re.search(r"rror|xception|fail|refused|error=", line)]
    detail = [line for line in errors if line.startswith("Socket Exception")]
    words = " ".join(filter(None, (errors[0] if errors else "", detail[-1] if detail else "", attempt.error)))
    return " ".join(words.split())[:300] or "the service refused the message without a reason"
