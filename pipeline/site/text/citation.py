"""Citations of an event, and the address at which to report an error in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pipeline.site.text.formatting import day_words
from pipeline.site.text.labels import modality_words
from pipeline.site.views.quote_highlight import safe_url


@dataclass(frozen=True, slots=True)
class Citation:
    """A citation of an event as plain text, BibTeX and Wikipedia markup."""

    plain: str
    bibtex: str
    wikipedia: str


def cite(event_id: str, summary: str, modality: str, url: str, built_on: str) -> Citation:
    """Return the citations; `built_on` is the ISO day of the snapshot, "" if unknown."""
    sentence = f"{modality_words(modality).badge}: {' '.join(summary.split())}"
    state = f" (as of {day_words(built_on)})" if built_on else ""
    year = built_on[:4] or "n.d."
    tex = "".join({"\\": r"\textbackslash{}"}.get(c, f"\\{c}" if c in "{}&%$#_" else c) for c in sentence)
    wiki = sentence.replace("|", "{{!}}").replace("[", "&#91;").replace("]", "&#93;").replace("{{!}}", "&#124;")
    return Citation(
        plain=f"“{sentence}” Oversight Ledger, event {event_id}{state}. {url}",
        bibtex=(
            f"@misc{{oversight-{event_id},\n  title = {{{tex}}},\n  howpublished = {{Oversight Ledger}},\n"
            f"  year = {{{year}}},\n  note = {{Event {event_id}{state}}},\n  url = {{{url}}}\n}}"
        ),
        wikipedia=f"{{{{cite web |title={wiki} |website=Oversight Ledger |url={url} |access-date={built_on} }}}}",
    )


def report_address(contact: str, event_id: str, summary: str, url: str, built_on: str) -> str:
    """Return the address at which a reader can report an error in an event; "" without a contact.

    Args:
        contact: The contact setting: an e-mail or http(s) address. A page for new issues (".../issues/new") gets a
            title and text; any other page is linked unchanged.
        event_id: Id of the event.
        summary: Its summary.
        url: Address of its page.
        built_on: ISO day of the snapshot, "" if unknown.
    """
    subject = f"Error in event {event_id}"
    sentence = " ".join(summary.split())
    body = f"{url}\n“{sentence}”\nAs of {built_on or 'an unknown day'}.\n\nWhat is wrong, and how do you know?\n"
    if re.fullmatch(r"[\w.+%-]+@[\w.-]+\.\w+", contact):
        return f"mailto:{quote(contact, safe='@+')}?subject={quote(subject)}&body={quote(body)}"
    address = safe_url(contact)
    if address.split("?")[0].endswith("/issues/new"):
        return f"{address}{'&' if '?' in address else '?'}{urlencode({'title': subject, 'body': body})}"
    return address
