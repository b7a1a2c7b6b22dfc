"""The [[alert]] tables of oversight.toml come in; checked rules with the addresses to tell go out."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import WrongUse

EVENTS, CONTRADICTED, SOURCES = "events", "contradicted", "sources"
WATCHED = {
    EVENTS: "new events",
    CONTRADICTED: "events on which reports begin to disagree",
    SOURCES: "sources in trouble, and when they are well again",
}
_KEYS = ("name", "watch", "filter", "to")
_NAME = re.compile(r"\w[\w .,()-]{0,59}")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Target:
    """One recipient. `target_id` and `shown` hold no password; `address` does, and is never stored or printed."""

    target_id: str
    shown: str
    address: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert. `filter`: the part behind the ? of the site's list of events, "" for all."""

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
        """What is watched: where it changes, what stands already is taken as known."""
        return f"{self.watch} {self.filter}"


def read_rules(tables: tuple[Mapping[str, Any], ...], file: Path) -> tuple[Rule, ...]:
    """Return the alerts of a settings file; raise WrongUse with file, alert, key and cure."""
    rules: list[Rule] = []
    for number, table in enumerate(tables, 1):
        rule = _rule(table, number, file)
        if rule.slug in {other.slug for other in rules}:
            raise WrongUse(f"{file}: two alerts are called '{rule.name}'. Give each a name of its own.")
        rules.append(rule)
    return tuple(rules)


def _rule(table: Mapping[str, Any], number: int, file: Path) -> Rule:
    if not isinstance(table, Mapping):
        raise WrongUse(f"{file}: alert {number} is no table. Begin each alert with a line [[alert]].")
    where = f"{file}: alert {table.get('name') or number!r}"
    for key in table:
        if key not in _KEYS:
            raise WrongUse(f"{where}: unknown key '{key}'. Known keys: {', '.join(_KEYS)}.")
    for key in ("name", "watch", "filter"):
        if not isinstance(table.get(key, ""), str):
            raise WrongUse(f"{where}: '{key}' is {table[key]!r}, but should be text.")
    name, watch, chosen = (table.get(key, "").strip() for key in ("name", "watch", "filter"))
    if not _NAME.fullmatch(name):
        raise WrongUse(f"{where}: give it a name of letters, digits, spaces and -, at most 60 characters.")
    if watch not in WATCHED:
        raise WrongUse(f"{where}: watch is {watch!r}; write one of {', '.join(WATCHED)}.")
    if chosen and watch == SOURCES:
        raise WrongUse(f"{where}: a filter chooses events; leave it out where watch is '{SOURCES}'.")
    to = table.get("to", [])
    if not isinstance(to, list) or not all(isinstance(one, str) for one in to):
        raise WrongUse(f"{where}: 'to' should be a list of addresses, such as [\"mailto://...\"].")
    targets = [_target(one, where) for one in to]
    if len({target.target_id for target in targets}) < len(targets):
        raise WrongUse(f"{where}: 'to' names one recipient twice ({', '.join(t.shown for t in targets)}).")
    return Rule(name, watch, chosen.rpartition("?")[2], tuple(targets))


def _target(written: str, where: str) -> Target:
    """Check one address as Apprise reads it; passwords may stand in the environment, as ${NAME}."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise WrongUse(f"{where}: 'to' names ${{{match[1]}}}, but the environment has no {match[1]}. Set it.")
        return os.environ[match[1]]

    address = _VARIABLE.sub(value, written)
    scheme = written.partition("://")[0]
    service = service_of(address)
    if service is None:
        raise WrongUse(
            f"{where}: the {scheme if '://' in written else 'first'} address in 'to' is none that can be told. Write "
            "it as Apprise does: mailtos://USER:PASSWORD@HOST?from=A&to=B, json://HOST/PATH, slack://..."
        )
    if len(service) != 1:
        raise WrongUse(
            f"{where}: the {scheme} address in 'to' has {len(service)} recipients. Write an address for each, so that "
            "one that fails is tried again alone."
        )
    plain = service.url(privacy=True).partition("?")[0]
    return Target(hashlib.sha256(plain.encode()).hexdigest()[:12], _shown(service), address)


def service_of(address: str) -> Any:
    """Return Apprise's service for an address, None where it knows none. It asks once and stores nothing."""
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
