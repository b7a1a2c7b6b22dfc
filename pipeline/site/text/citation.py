"""An event and its permalink come in, ways to cite it, and to report an error in it, go out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pipeline.site.text.words import day_words, modality_words
from pipeline.site.views.quote_highlight import safe_url


@dataclass(frozen=True, slots=True)
class Citation:
    """One event cited in running text, as BibTeX and for Wikipedia."""

    plain: str
    bibtex: str
    wikipedia: str


def cite(event_id: str, summary: str, modality: str, url: str, built_on: str) -> Citation:
    """Return the citations; `built_on` is the ISO day of the snapshot ("" if unknown): what was known when."""
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
    """Return where a reader can report an error in an event: a letter or a form that names it; "" without a contact.

    `contact`: an e-mail address or an http(s) address, as in the settings. A page for new issues (".../issues/new") is
    given title and text; any other page is linked as it is.
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
