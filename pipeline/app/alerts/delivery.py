"""A message and its recipient's address come in; whether it arrived, did not arrive, or may have arrived goes out.

Apprise does the sending: e-mail, webhooks and the services that it knows. It says only yes or no, so its log is read
for what a no means: a refusal or a connection that never came about is certain, a connection that broke or fell silent
while the message was on its way is not.
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
LONGEST_SECONDS = 60.0
_NEVER_CONNECTED = re.compile(
    r"Connection error while submitting email|Failed to establish a new connection|NameResolutionError|"
    r"connect timeout=|Connection refused|SSLError|CERTIFICATE_VERIFY_FAILED|InvalidURL|Invalid URL"
)
_REFUSED = re.compile(r"error=(\d{3})\b|\((\d{3}), b['\"]|was refused: (\d{3})")
_MAYBE_DONE = {"408", "504", "524"}  # a gateway gave up on a server that may have done it all the same


@dataclass(frozen=True, slots=True)
class Sending:
    """How one attempt ended, with the reason in words where it did not arrive."""

    end: str
    why: str = ""


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


def send(message: Message, address: str, seconds: float = LONGEST_SECONDS) -> Sending:
    """Send one message once. It is given `seconds`; a signal that ends the program is not swallowed meanwhile."""
    attempt = _Attempt()
    thread = threading.Thread(target=_send, args=(message, address, attempt), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return Sending(UNKNOWN, f"no answer within {seconds:.0f} seconds")
    if attempt.result:
        return Sending(ARRIVED)
    said = " ".join([*attempt.lines, attempt.error])
    why = without_secrets(_why(attempt), address)
    if attempt.error and not attempt.lines:
        return Sending(NOT_ARRIVED, why)
    if _NEVER_CONNECTED.search(said):
        return Sending(NOT_ARRIVED, why)
    refused = _REFUSED.search(said)
    if refused and next(filter(None, refused.groups())) not in _MAYBE_DONE:
        return Sending(NOT_ARRIVED, why)
    return Sending(UNKNOWN, why)


def without_secrets(text: str, address: str) -> str:
    """Return a text without what an address holds besides hosts and mail addresses: passwords, tokens, paths."""
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
    except Exception as error:  # noqa: BLE001 - whatever a service raises, this message alone failed
        attempt.error = f"{type(error).__name__}: {error}"[:300]


def _label(service: Any, message: Message) -> None:
    """Give a message its id, so that a recipient can tell a copy, and a webhook its items as data."""
    service.overflow_mode = "truncate"  # one message is one message
    headers = getattr(service, "headers", None)
    if isinstance(headers, dict):
        headers["X-Oversight-Message"] = message.message_id
        if hasattr(service, "payload_extras"):
            headers["Idempotency-Key"] = message.message_id
    extras = getattr(service, "payload_extras", None)
    if isinstance(extras, dict) and type(service).__name__ == "NotifyJSON":
        extras |= {"message_id": message.message_id, "alert": message.alert, "items": list(message.items)}


def _why(attempt: _Attempt) -> str:
    """Return the last telling line of the log."""
    telling = [line for line in attempt.lines if re.search(r"rror|xception|fail|refused|error=", line)]
    detail = [line for line in telling if line.startswith("Socket Exception")]
    words = " ".join(filter(None, (telling[0] if telling else "", detail[-1] if detail else "", attempt.error)))
    return " ".join(words.split())[:300] or "the service said no without a reason"
