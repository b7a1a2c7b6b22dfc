"""An event and its permalink come in, ways to cite it go out."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.serve.words import day_words, modality_words


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
