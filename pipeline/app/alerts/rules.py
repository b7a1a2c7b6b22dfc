"""The alerts of a ledger: the [[alert]] tables of oversight.toml as checked rules, each with its recipients."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import WrongUse
from pipeline.settings import explain

EVENTS, CONTRADICTED, SOURCES = "events", "contradicted", "sources"
WATCHED = {
    EVENTS: "new events",
    CONTRADICTED: "events on which reports begin to disagree",
    SOURCES: "sources that fail or fall silent, and their recovery",
}
# What a value should be, by key, for error messages.
_EXPECTED = {
    "name": "a name of letters, digits, spaces and -, at most 60 characters",
    "watch": f"one of {', '.join(WATCHED)}",
    "to": 'a list of addresses, such as ["mailto://..."]',
}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class _Table(BaseModel):
    """One [[alert]] table as an editor writes it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str = Field(pattern=r"^\w[\w .,()-]{0,59}$")
    watch: Literal["events", "contradicted", "sources"]
    filter: str = ""
    to: list[str] = []


@dataclass(frozen=True, slots=True)
class Target:
    """One recipient. `target_id` and `shown` hold no password; `address` does, and is never stored or printed."""

    target_id: str
    shown: str
    address: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert. `filter` is the query string of the site's list of events, without "?"; "" selects every event."""

    name: str
    watch: str
    filter: str
    targets: tuple[Target, ...]

    @property
    def slug(self) -> str:
        """The name as part of a file name."""
        return re.sub(r"\W+", "-", self.name.lower()).strip("-")

    @property
    def definition(self) -> str:
        """What the alert watches. When it changes, everything that matches already counts as known."""
        return f"{self.watch} {self.filter}"


def read_rules(tables: Sequence[Mapping[str, Any]], file: Path) -> tuple[Rule, ...]:
    """Return the alerts of a settings file; raise WrongUse naming the file, the alert, the key and a remedy."""
    rules: list[Rule] = []
    for number, table in enumerate(tables, 1):
        rule = _rule(table, number, file)
        if rule.slug in {other.slug for other in rules}:
            raise WrongUse(f"{file}: two alerts are called '{rule.name}'. Give each a different name.")
        rules.append(rule)
    return tuple(rules)


def _rule(written: Mapping[str, Any], number: int, file: Path) -> Rule:
    where = f"{file}: alert {written.get('name') or number!r}"
    try:
        table = _Table(**written)
    except ValidationError as error:
        raise WrongUse(f"{where}: {explain(error, 'key', _Table, _EXPECTED)}") from error
    if table.filter and table.watch == SOURCES:
        raise WrongUse(f"{where}: a filter selects events; leave it out where watch is '{SOURCES}'.")
    targets = tuple(_target(address, where) for address in table.to)
    if len({target.target_id for target in targets}) < len(targets):
        raise WrongUse(f"{where}: 'to' names one recipient twice ({', '.join(t.shown for t in targets)}).")
    return Rule(table.name, table.watch, table.filter.rpartition("?")[2], targets)


def _target(written: str, where: str) -> Target:
    """Check one address as Apprise reads it; a password can be taken from the environment, as ${NAME}."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise WrongUse(f"{where}: 'to' names ${{{match[1]}}}, but the environment has no {match[1]}. Set it.")
        return os.environ[match[1]]

    address = _VARIABLE.sub(value, written)
    scheme = written.partition("://")[0]
    service = service_of(address)
    if service is None:
        raise WrongUse(
            f"{where}: the {scheme if '://' in written else 'first'} address in 'to' cannot receive messages. Write "
            "it as Apprise does: mailtos://USER:PASSWORD@HOST?from=A&to=B, json://HOST/PATH, slack://..."
        )
    if len(service) != 1:
        raise WrongUse(
            f"{where}: the {scheme} address in 'to' has {len(service)} recipients. Write one address for each, so "
            "that a failed delivery is retried for that recipient alone."
        )
    plain = service.url(privacy=True).partition("?")[0]
    return Target(hashlib.sha256(plain.encode()).hexdigest()[:12], _shown(service), address)


def service_of(address: str) -> Any:
    """Return Apprise's service for an address, None for an unknown one. The service sends once and stores nothing."""
    from apprise import Apprise, AppriseAsset

    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    asset = AppriseAsset(app_id="Oversight Ledger", app_desc="Oversight Ledger", app_url="", default_service_retry=0)
    return Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


def _shown(service: Any) -> str:
    name = str(getattr(service, "service_name", "") or type(service).__name__)
    if name == "E-Mail":
        return ", ".join(str(one[-1] if isinstance(one, tuple) else one) for one in service.targets)
    host = getattr(service, "host", "") or ""
    return f"{name} at {host}" if host else name
