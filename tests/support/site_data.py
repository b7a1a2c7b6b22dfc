"""A small invented world as marked-up sentences, and the published snapshot that the site's tests build from it.

In a sentence, `[role:entity|words]` marks a party and `*words*` the trigger.
"""

# ruff: noqa: E501 - one sentence per line is easier to read than a broken one

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import sqlite_utils

from pipeline.ledger.schema import SCHEMA_VERSION, published
from pipeline.records import claim_id, event_id
from support.timeline_rows import add_timeline_entries

SOURCES = {
    "harbour-courier": ("The Harbour Courier", "press", "US"),
    "ledger-wire": ("Ledger Wire", "wire", "INT"),
    "kiln-technology": ("Kiln Technology Review", "trade", "US"),
    "brusselsdesk": ("Brussels Desk", "press", "EU"),
    "oms-news": ("Office of Model Safety", "primary", "US"),
    "eab-news": ("European AI Board", "primary", "EU"),
    "nordlys-blog": ("Nordlys Labs", "lab", "US"),
    "daily-gleaner": ("Daily Gleaner", "aggregator", "US"),
    "thames-observer": ("The Thames Observer", "press", "GB"),
}
ENTITIES = {
    "nordlys": ("Nordlys Labs", "organisation", "US", ""),
    "meridian": ("Meridian AI", "organisation", "US", ""),
    "kestrel": ("Kestrel Systems", "organisation", "GB", ""),
    "hanshan": ("Hanshan Research", "organisation", "CN", ""),
    "commerce": ("Department of Trade and Technology", "agency", "US", ""),
    "oms": ("Office of Model Safety", "agency", "US", "commerce"),
    "defence": ("Department of Defence Systems", "agency", "US", ""),
    "eab": ("European AI Board", "agency", "EU", ""),
    "parliament": ("Parliament of the Union", "agency", "EU", ""),
    "uk-safety": ("Institute for Machine Assurance", "agency", "GB", ""),
    "president": ("Office of the President", "government", "US", ""),
    "senate": ("Senate", "agency", "US", ""),
    "court-ninth": ("Ninth District Court", "agency", "US", ""),
    "authors": ("Guild of Authors", "organisation", "US", ""),
    "jane-roe": ("Jane Roe", "person", "US", ""),
    "tomas-lind": ("Tomas Lind", "person", "EU", ""),
    "aurora-3": ("Aurora 3", "model", "", "nordlys"),
    "aurora-4": ("Aurora 4", "model", "", "nordlys"),
    "compass": ("Compass XL", "model", "", "meridian"),
    "windhover": ("Windhover", "model", "", "kestrel"),
    "order-1207": ("Executive Order 1207", "instrument", "US", ""),
    "frontier-act": ("Frontier Models Act", "instrument", "US", ""),
    "union-code": ("Union Code of Practice", "instrument", "EU", ""),
    "authors-case": ("Guild of Authors v. Meridian AI", "instrument", "US", ""),
    "agencies": ("federal agencies", "group", "", ""),
    "developers": ("AI developers", "group", "", ""),
    "foreign": ("foreign nationals", "group", "", ""),
}
NAMES = [
    ("oms", "Model Evaluation Office", "former", "2023-11-02", "2025-06-02"),
    ("oms", "OMS", "short", "2025-06-03", None),
    ("nordlys", "Nordlys", "short", None, None),
    ("eab", "AI Board", "short", None, None),
    ("order-1207", "the June order", "alias", None, None),
]


@dataclass(frozen=True)
class Report:
    """One sentence of one article."""

    source: str
    day: str
    title: str
    sentence: str
    modality: str = ""
    attribution: tuple[str, str | None] = ("own_reporting", None)
    copy_of: str = ""
    newness: str = "new"
    said: str = ""
    date: str | None = None


@dataclass(frozen=True)
class Story:
    """One event and its reports."""

    type: str
    modality: str
    summary: str
    date: str | None
    jurisdiction: str
    reports: tuple[Report, ...]
    force: str = "not_stated"
    direction: str | None = None
    stage: str = ""
    contradictions: tuple[tuple[str, str, tuple[tuple[str, tuple[int, ...]], ...]], ...] = ()
    confidence: float = 0.86


R, S = Report, Story
STORIES = (
    S("agreement", "occurred", "Nordlys Labs and Meridian AI signed testing agreements with the Office of Model Safety.", "2026-05-05", "US", (
        R("harbour-courier", "2026-05-05", "Two labs open their models to federal testers", "[actor:nordlys|Nordlys Labs] and [actor:meridian|Meridian AI] *signed* agreements on Tuesday that let [actor:oms|the Office of Model Safety] test their models before release.", said="Tuesday"),
        R("daily-gleaner", "2026-05-05", "Labs sign testing pacts: report", "[actor:nordlys|Nordlys Labs] and [actor:meridian|Meridian AI] *signed* agreements on Tuesday that let [actor:oms|the Office of Model Safety] test their models before release.", copy_of="harbour-courier"),
        R("oms-news", "2026-05-05", "OMS and two developers agree on pre-release testing", "[actor:oms|The Office of Model Safety] today *announced agreements* with [actor:nordlys|Nordlys Labs] and [actor:meridian|Meridian AI].", attribution=("organisation", "Office of Model Safety"), said="today"),
        R("thames-observer", "2026-05-07", "What the American testing pacts say", "[actor:meridian|Meridian] *signed* on Wednesday, a day after its rival, according to a person who has seen the paper.", attribution=("anonymous", None), said="Wednesday", date="2026-05-06"),
        R("nordlys-blog", "2026-05-05", "Working with the Office of Model Safety", "[actor:nordlys|We] have *signed* a voluntary testing agreement with [actor:oms|the Office of Model Safety].", attribution=("organisation", "Nordlys Labs")),
    ), "voluntary", stage="signed", contradictions=(("date", "Reports differ on the day Meridian AI signed.", (("2026-05-05", (0, 2)), ("2026-05-06", (3,)))), ("force", "One report calls the agreements binding.", (("voluntary", (4,)), ("binding", (3,)))))),
    S("restriction", "occurred", "The Department of Defence Systems designated Kestrel Systems a supply risk.", "2026-04-21", "US", (
        R("ledger-wire", "2026-04-21", "Kestrel named a supply risk", "[actor:defence|The Department of Defence Systems] *designated* [target:kestrel|Kestrel Systems] a supply risk, which keeps [affected:agencies|federal agencies] from buying [object:windhover|Windhover].", attribution=("document", None)),
        R("harbour-courier", "2026-04-21", "Kestrel named a supply risk", "[actor:defence|The Department of Defence Systems] *designated* [target:kestrel|Kestrel Systems] a supply risk, which keeps [affected:agencies|federal agencies] from buying [object:windhover|Windhover].", copy_of="ledger-wire"),
        R("kiln-technology", "2026-04-22", "Inside the Windhover ban", "[actor:defence|Defence Systems] *designated* the London lab [target:kestrel|Kestrel] a supply risk late on Tuesday.", said="late on Tuesday"),
    ), "binding", "impose"),
    S("restriction", "denied", "Kestrel Systems denied that it had blocked federal testers from Windhover.", "2026-04-23", "GB", (
        R("thames-observer", "2026-04-23", "Kestrel hits back", "[actor:kestrel|Kestrel] *denied blocking* [target:oms|federal testers] from [object:windhover|Windhover], saying that access had lapsed with the contract.", attribution=("organisation", "Kestrel Systems")),
        R("kiln-technology", "2026-04-24", "Who locked whom out?", "[actor:kestrel|The lab] *blocked* [target:oms|OMS] from [object:windhover|Windhover] in March, two officials said.", "alleged", ("anonymous", None), said="in March"),
    ), direction="impose", contradictions=(("happened", "Officials say that access was blocked; the company denies it.", (("happened", (1,)), ("did not happen", (0,)))),)),
    S("executive_action", "occurred", "The Office of the President issued Executive Order 1207 on frontier models.", "2026-06-02", "US", (
        R("harbour-courier", "2026-06-02", "President signs order on frontier AI", "[actor:president|The President] on Tuesday *signed* [instrument:order-1207|Executive Order 1207], which asks developers of the largest models to share test results.", said="on Tuesday"),
        R("brusselsdesk", "2026-06-03", "Washington acts, Brussels watches", "[actor:president|The White House] *signed* [instrument:order-1207|an order] on frontier models this week.", said="this week"),
        R("ledger-wire", "2026-06-02", "President signs AI order", "[actor:president|The President] *signed* [instrument:order-1207|Executive Order 1207] in the East Room."),
        R("kiln-technology", "2026-06-04", "The June order, line by line", "Nothing in [instrument:order-1207|the order] that [actor:president|the President] *signed* on 2 June compels a lab to stop.", said="2 June"),
    ), "binding", stage="signed"),
    S("access_request", "planned", "The Office of Model Safety will ask Nordlys Labs for Aurora 4 before its release.", "2026-08-15", "US", (
        R("kiln-technology", "2026-07-20", "Aurora 4 faces an early look", "[actor:oms|The Office of Model Safety] *will request* access to [object:aurora-4|Aurora 4] by 15 August, [target:nordlys|Nordlys] said.", attribution=("organisation", "Nordlys Labs"), said="by 15 August"),
    )),
    S("regulation", "planned", "The European AI Board is to publish the second part of the Union Code of Practice.", "2026-09", "EU", (
        R("eab-news", "2026-07-10", "Next steps on the Code", "[actor:eab|The Board] *will publish* the second part of [instrument:union-code|the Code of Practice] in September.", attribution=("organisation", "European AI Board"), said="in September"),
        R("brusselsdesk", "2026-07-11", "Code, part two, comes in September", "[actor:eab|The AI Board] is *set to publish* the rest of [instrument:union-code|its code] in September.", said="in September"),
    ), "voluntary"),
    S("agreement", "postponed", "Kestrel Systems and the Institute for Machine Assurance put off the signing of a testing agreement.", "2026-08-03", "GB", (
        R("thames-observer", "2026-07-21", "Kestrel signing put off", "The *signing* of a testing agreement between [actor:kestrel|Kestrel] and [actor:uk-safety|the Institute for Machine Assurance] was moved to 3 August.", said="3 August"),
    ), "voluntary"),
    S("legislation", "occurred", "The Senate passed the Frontier Models Act.", "2026-03-18", "US", (
        R("harbour-courier", "2026-03-18", "Senate passes frontier bill", "[actor:senate|The Senate] *passed* [instrument:frontier-act|the Frontier Models Act] by 61 votes to 38."),
        R("ledger-wire", "2026-03-18", "Senate passes AI bill", "[actor:senate|Senators] *passed* [instrument:frontier-act|the bill] late on Wednesday.", said="late on Wednesday"),
    ), "binding", stage="passed"),
    S("legislation", "considered", "The Office of the President is weighing a veto of the Frontier Models Act.", None, "US", (
        R("harbour-courier", "2026-03-25", "Veto on the table", "[actor:president|The President] is *weighing a veto* of [instrument:frontier-act|the Frontier Models Act], two aides said.", attribution=("anonymous", None)),
    )),
    S("litigation", "occurred", "The Guild of Authors sued Meridian AI over training data.", "2026-02-10", "US", (
        R("ledger-wire", "2026-02-10", "Authors sue Meridian", "[actor:authors|The Guild of Authors] *sued* [target:meridian|Meridian AI] in [affected:court-ninth|the Ninth District Court] on Tuesday.", said="on Tuesday"),
        R("kiln-technology", "2026-02-11", "What the authors want", "[actor:authors|The guild] *filed* [instrument:authors-case|its case] on 10 February.", said="10 February"),
    )),
    S("litigation", "occurred", "The Ninth District Court refused to dismiss the authors' case against Meridian AI.", "2026-07-14", "US", (
        R("ledger-wire", "2026-07-14", "Judge lets authors' case go on", "[actor:court-ninth|The Ninth District Court] *refused to dismiss* [instrument:authors-case|the authors’ case] against [target:meridian|Meridian].", attribution=("document", None)),
    ), "binding"),
    S("evaluation", "occurred", "The Institute for Machine Assurance published its tests of Compass XL.", "2026-06-24", "GB", (
        R("thames-observer", "2026-06-24", "Institute publishes Compass tests", "[actor:uk-safety|The Institute for Machine Assurance] *published* its tests of [object:compass|Compass XL], [target:meridian|Meridian’s] largest model."),
        R("kiln-technology", "2026-06-25", "Compass XL: what the testers found", "[actor:uk-safety|The British institute] *tested* [object:compass|Compass XL] for nine weeks.", date=None),
    )),
    S("evaluation", "negated", "Hanshan Research has not given its model to the Office of Model Safety for testing.", None, "CN", (
        R("ledger-wire", "2026-05-30", "Hanshan stays out", "[target:hanshan|Hanshan Research] *has not submitted* its model to [actor:oms|the Office of Model Safety].", attribution=("organisation", "Office of Model Safety")),
    )),
    S("refusal", "occurred", "Kestrel Systems declined a request from the Senate for its safety files.", "2026-05-19", "US", (
        R("harbour-courier", "2026-05-19", "Kestrel declines Senate request", "[actor:kestrel|Kestrel Systems] *declined* [target:senate|the Senate’s] request for its safety files."),
        R("daily-gleaner", "2026-05-20", "Kestrel says no", "[actor:kestrel|Kestrel] *turned down* [target:senate|senators], The Harbour Courier reports.", attribution=("outlet", "The Harbour Courier"), copy_of="harbour-courier"),
    )),
    S("commitment", "occurred", "Nordlys Labs adopted a policy of pausing training above a risk threshold.", "2026-01-22", "US", (
        R("nordlys-blog", "2026-01-22", "Our pause policy", "Today [actor:nordlys|we] *adopted* a policy under which training stops above a fixed level of risk.", attribution=("organisation", "Nordlys Labs"), said="Today"),
    ), "voluntary"),
    S("access_grant", "occurred", "Nordlys Labs restored researchers' access to Aurora 3.", "2026-06-11", "US", (
        R("kiln-technology", "2026-06-11", "Aurora 3 is open to researchers again", "[actor:nordlys|Nordlys] *restored* access to [object:aurora-3|Aurora 3] for outside researchers."),
        R("nordlys-blog", "2026-06-11", "Researcher access resumes", "[actor:nordlys|We] have *reopened* [object:aurora-3|Aurora 3] to [target:developers|approved researchers].", attribution=("organisation", "Nordlys Labs")),
    )),
    S("model_release", "considered", "Nordlys Labs may delay Aurora 4.", None, "US", (
        R("kiln-technology", "2026-07-18", "Aurora 4 could slip", "[actor:nordlys|Nordlys] *may delay* [object:aurora-4|Aurora 4] until testers have finished, people close to the lab said.", attribution=("anonymous", None)),
    )),
    S("model_release", "occurred", "Meridian AI released Compass XL in stages.", "2026-04-09", "US", (
        R("kiln-technology", "2026-04-09", "Compass XL arrives, slowly", "[actor:meridian|Meridian] *released* [object:compass|Compass XL] to a first group of customers on Thursday.", said="on Thursday"),
    )),
    S("institution", "occurred", "The Department of Trade and Technology renamed the Model Evaluation Office the Office of Model Safety.", "2025-06-03", "US", (
        R("harbour-courier", "2025-06-03", "Model office gets a new name", "[actor:commerce|The Department of Trade and Technology] *renamed* [body:oms|its Model Evaluation Office] the Office of Model Safety."),
        R("kiln-technology", "2026-05-06", "A short history of OMS", "[actor:commerce|The department] *renamed* [body:oms|the office] in June 2025.", newness="background", said="in June 2025"),
    )),
    S("institution", "occurred", "Jane Roe was appointed head of the Office of Model Safety.", "2025-09-15", "US", (
        R("oms-news", "2025-09-15", "Jane Roe to lead OMS", "[actor:commerce|The Secretary] has *appointed* [target:jane-roe|Jane Roe] to lead [body:oms|the Office of Model Safety].", attribution=("organisation", "Office of Model Safety")),
    )),
    S("institution", "alleged", "Jane Roe is said to have offered her resignation.", "2026-07-19", "US", (
        R("daily-gleaner", "2026-07-20", "OMS head on the way out?", "[actor:jane-roe|Jane Roe] has reportedly *offered to resign* from [body:oms|OMS].", attribution=("outlet", None)),
    ), confidence=0.55),
    S("investigation", "occurred", "The European AI Board opened an inquiry into Hanshan Research.", "2026-03-02", "EU", (
        R("eab-news", "2026-03-02", "Board opens inquiry", "[actor:eab|The European AI Board] has *opened an inquiry* into [target:hanshan|Hanshan Research]."),
        R("brusselsdesk", "2026-03-02", "Board turns to Hanshan", "[actor:eab|The AI Board] *opened* a formal inquiry into [target:hanshan|Hanshan] on Monday.", said="on Monday"),
        R("ledger-wire", "2026-03-03", "EU opens Hanshan inquiry", "[actor:eab|European regulators] *opened an inquiry* into [target:hanshan|Hanshan Research]."),
        R("thames-observer", "2026-03-03", "Hanshan in Brussels’ sights", "[actor:eab|The Board] *opened* its first inquiry into [target:hanshan|a Chinese lab]."),
    ), "binding"),
    S("enforcement", "occurred", "The European AI Board fined Hanshan Research 40 million euros.", "2026-07-08", "EU", (
        R("eab-news", "2026-07-08", "Decision in the Hanshan case", "[actor:eab|The Board] has *fined* [target:hanshan|Hanshan Research] 40 million euros."),
        R("brusselsdesk", "2026-07-08", "Hanshan fined", "[actor:eab|The AI Board] *fined* [target:hanshan|Hanshan] 42 million euros, its largest penalty yet."),
    ), "binding", contradictions=(("amount", "Reports differ on the size of the fine.", (("40 million euros", (0,)), ("42 million euros", (1,)))),)),
    S("enforcement", "conditional", "Meridian AI would face fines under the Frontier Models Act if it skips tests.", None, "US", (
        R("kiln-technology", "2026-03-20", "What the bill would do", "[target:meridian|Meridian] *would be fined* under [instrument:frontier-act|the act] if it skipped tests."),
    )),
    S("restriction", "occurred", "Nordlys Labs suspended access to Aurora 3 for foreign nationals.", "2026-02-26", "US", (
        R("kiln-technology", "2026-02-27", "Aurora 3 closes its doors", "[actor:nordlys|Nordlys] *suspended* access to [object:aurora-3|Aurora 3] for [affected:foreign|foreign nationals] on Thursday.", said="on Thursday"),
        R("ledger-wire", "2026-02-27", "Nordlys limits model access", "[actor:nordlys|Nordlys Labs] *suspended* access by [affected:foreign|foreign nationals], a spokesperson said.", attribution=("organisation", "Nordlys Labs")),
    ), direction="impose"),
    S("restriction", "cancelled", "The Department of Trade and Technology dropped its plan to limit exports of Aurora 3.", "2026-04", "US", (
        R("harbour-courier", "2026-04-14", "Export limits dropped", "[actor:commerce|The department] has *dropped* its plan to limit exports of [object:aurora-3|Aurora 3]."),
    )),
    S("regulation", "occurred", "The European AI Board adopted the first part of the Union Code of Practice.", "2026-05-27", "EU", (
        R("eab-news", "2026-05-27", "Code adopted", "[actor:eab|The Board] *adopted* the first part of [instrument:union-code|the Union Code of Practice]."),
        R("brusselsdesk", "2026-05-27", "First half of the code is in place", "[actor:eab|The AI Board] *adopted* [instrument:union-code|the code’s] first half by a wide margin."),
    ), "voluntary", stage="adopted"),
    S("commitment", "occurred", "Meridian AI signed up to the Union Code of Practice.", "2026-06-17", "EU", (
        R("brusselsdesk", "2026-06-17", "Meridian joins the code", "[actor:meridian|Meridian] *signed up* to [instrument:union-code|the Union Code of Practice] on Wednesday.", said="on Wednesday"),
    ), "voluntary"),
    S("refusal", "occurred", "Kestrel Systems declined to sign the Union Code of Practice.", "2026-06-18", "EU", (
        R("brusselsdesk", "2026-06-18", "Kestrel stays out of the code", "[actor:kestrel|Kestrel] *will not sign* [instrument:union-code|the code], [target:eab|the Board] was told on Thursday.", said="on Thursday"),
    )),
    S("investigation", "planned", "The Senate will hold a hearing on testing with Jane Roe.", "2026-07-30", "US", (
        R("harbour-courier", "2026-07-17", "Senate sets hearing date", "[actor:senate|The Senate] *will hear* [target:jane-roe|Jane Roe] on 30 July about the testing agreements.", said="on 30 July"),
        R("ledger-wire", "2026-07-17", "Hearing set", "[actor:senate|A Senate panel] *will question* [target:jane-roe|Ms Roe] on 30 July.", said="on 30 July"),
    )),
    S("executive_action", "planned", "Federal agencies must name an AI officer by the end of August under Executive Order 1207.", "2026-08-31", "US", (
        R("kiln-technology", "2026-06-04", "The June order, line by line", "[affected:agencies|Agencies] *must name* an AI officer by 31 August under [instrument:order-1207|the order].", said="by 31 August"),
    ), "binding"),
    S("agreement", "occurred", "The Office of Model Safety and the Institute for Machine Assurance agreed to share test methods.", "2026-01", "INT", (
        R("thames-observer", "2026-01-29", "Testers join forces", "[actor:uk-safety|The Institute] and [actor:oms|its American counterpart] *agreed* this month to share test methods.", said="this month"),
    ), "voluntary"),
    S("access_request", "occurred", "The Parliament of the Union asked Nordlys Labs for its training records.", "2026-04-28", "EU", (
        R("brusselsdesk", "2026-04-28", "Parliament wants Nordlys’ records", "[actor:parliament|Parliament] *asked* [target:nordlys|Nordlys Labs] for its training records, rapporteur [actor:tomas-lind|Tomas Lind] said.", attribution=("person", "Tomas Lind")),
    )),
    S("refusal", "considered", "Nordlys Labs is considering whether to answer Parliament.", None, "EU", (
        R("brusselsdesk", "2026-05-04", "Nordlys thinks it over", "[actor:nordlys|Nordlys] is *considering* whether to refuse [target:parliament|Parliament’s] request."),
    )),
    S("litigation", "planned", "Kestrel Systems will challenge its designation in court.", None, "US", (
        R("thames-observer", "2026-04-25", "Kestrel heads to court", "[actor:kestrel|Kestrel] *will challenge* the designation by [target:defence|the Department of Defence Systems].", attribution=("organisation", "Kestrel Systems")),
    )),
    S("restriction", "occurred", "A court lifted the designation of Kestrel Systems for the time being.", "2026-07-02", "US", (
        R("ledger-wire", "2026-07-02", "Court pauses Kestrel designation", "[actor:court-ninth|The Ninth District Court] *paused* the designation of [affected:kestrel|Kestrel] by [target:defence|the Department of Defence Systems]."),
        R("thames-observer", "2026-07-02", "Relief for Kestrel", "[actor:court-ninth|A federal judge] *lifted* the designation of [affected:kestrel|Kestrel] until September."),
        R("harbour-courier", "2026-07-02", "Court pauses Kestrel designation", "[actor:court-ninth|The Ninth District Court] *paused* the designation of [affected:kestrel|Kestrel] by [target:defence|the Department of Defence Systems].", copy_of="ledger-wire"),
    ), "binding", "lift"),
    S("evaluation", "planned", "The Office of Model Safety plans a joint test of four models.", "2026-Q4", "US", (
        R("oms-news", "2026-07-16", "Joint test in the last quarter", "[actor:oms|OMS] *will test* four models side by side in the last quarter.", attribution=("organisation", "Office of Model Safety"), said="in the last quarter"),
    )),
    S("legislation", "occurred", "The Frontier Models Act was introduced in the Senate.", "2025-11-12", "US", (
        R("harbour-courier", "2025-11-12", "Frontier bill lands", "[actor:senate|Senators] *introduced* [instrument:frontier-act|the Frontier Models Act] on Wednesday.", said="on Wednesday"),
    ), stage="introduced"),
    S("regulation", "occurred", "The Department of Trade and Technology proposed reporting rules for large training runs.", "2025-12-09", "US", (
        R("ledger-wire", "2025-12-09", "Reporting rules proposed", "[actor:commerce|The Department of Trade and Technology] *proposed* rules that make [affected:developers|developers] report large training runs."),
    ), "binding", stage="proposed"),
    S("agreement", "alleged", "Hanshan Research is said to have agreed to outside audits.", "2026-07", "CN", (
        R("daily-gleaner", "2026-07-16", "Hanshan to open books?", "[actor:hanshan|Hanshan] has *agreed* to outside audits this month, according to unconfirmed reports.", attribution=("outlet", None), said="this month"),
    ), confidence=0.52),
)  # fmt: skip

_MARK = re.compile(r"\[(?P<role>\w+):(?P<entity>[\w-]+)\|(?P<words>[^\]]+)\]|\*(?P<trigger>[^*]+)\*")


@dataclass
class Marked:
    """A sentence without its marks, and the offsets of what they marked."""

    quote: str = ""
    trigger: tuple[int, int] = (0, 0)
    parties: list[tuple[str, str, int, int]] = field(default_factory=list)


def unmark(text: str) -> Marked:
    """Read a marked-up sentence."""
    marked, last = Marked(), 0
    for match in _MARK.finditer(text):
        marked.quote += text[last : match.start()]
        words, start = match["words"] or match["trigger"], len(marked.quote)
        marked.quote += words
        if match["trigger"]:
            marked.trigger = (start, len(marked.quote))
        else:
            marked.parties.append((match["role"], match["entity"], start, len(marked.quote)))
        last = match.end()
    marked.quote += text[last:]
    return marked


def span(value: str | None) -> tuple[str | None, str | None, str | None]:
    """Return start, end and precision of a date as written in STORIES."""
    if value is None:
        return None, None, None
    if "Q" in value:
        year, quarter = value.split("-Q")
        first = 3 * int(quarter) - 2
        return f"{year}-{first:02d}-01", f"{year}-{first + 2:02d}-30", "quarter"
    if len(value) == 7:
        return f"{value}-01", f"{value}-28", "month"
    return value, value, "day"


def make_snapshot(path: Path) -> Path:
    """Write the invented world as a published ledger to `path` and return it."""
    db = sqlite_utils.Database(path)
    published.apply(db)
    articles: dict[tuple[str, str, str], dict] = {}
    claims, participants, events, roles, origins, edges, contradictions, values = [], [], [], [], {}, [], [], []
    for story in STORIES:
        made = []
        for report in story.reports:
            key = (report.source, report.day, report.title)
            url = f"https://{report.source}.example/{report.day}/{re.sub('[^a-z0-9]+', '-', report.title.lower())}"
            digest = hashlib.sha256(url.encode()).hexdigest()
            article = articles.setdefault(
                key, {"id": "a" + digest[:16], "url": url, "length": 180, "n": 0, "sha": digest}
            )
            marked, start = unmark(report.sentence), article["length"]
            article["length"] += len(marked.quote) + 90
            article["n"] += 1
            lead = report.copy_of or report.source
            origin = "o" + hashlib.sha256(f"{lead}{story.summary}".encode()).hexdigest()[:16]
            article["origin"] = origin
            entry = origins.setdefault(origin, {"label": SOURCES[lead][0], "articles": [], "kind": "original"})
            entry["articles"].append(article["id"])
            trigger = marked.quote[slice(*marked.trigger)]
            identity = claim_id(article["id"], marked.quote, 1, story.type, trigger, 1)
            first, last, precision = span(report.date or story.date)
            made.append(identity)
            claims.append(
                dict(
                    claim_id=identity,
                    event_id="",
                    article_id=article["id"],
                    version=digest[16:32],
                    source_id=report.source,
                    origin_id=origin,
                    type=story.type,
                    modality=report.modality or story.modality,
                    direction=story.direction,
                    force=story.force,
                    newness=report.newness,
                    date_start=first,
                    date_end=last,
                    date_precision=precision,
                    date_basis=None if first is None else "relative" if report.said else "publication",
                    date_said=report.said,
                    attribution_kind=report.attribution[0],
                    attribution_name=report.attribution[1],
                    quote=marked.quote,
                    quote_start=start,
                    quote_end=start + len(marked.quote),
                    trigger=trigger,
                    trigger_start=start + marked.trigger[0],
                    trigger_end=start + marked.trigger[1],
                    confidence=story.confidence,
                    rule="frame",
                    published_on=report.day,
                )
            )
            for i, (role, entity, a, b) in enumerate(marked.parties):
                participants.append(
                    dict(
                        claim_id=identity,
                        position=i,
                        role=role,
                        entity_id=entity,
                        name=ENTITIES[entity][0],
                        text=marked.quote[a:b],
                        start=start + a,
                        end=start + b,
                    )
                )
            if report.copy_of:
                original = next(r for r in story.reports if r.source == report.copy_of)
                to = articles[(original.source, original.day, original.title)]["id"]
                basis = (
                    "wire" if SOURCES[lead][1] == "wire" else "copy" if report.attribution[0] != "outlet" else "credit"
                )
                origins[origin]["kind"] = "wire" if basis == "wire" else "original"
                edges.append(
                    dict(
                        article_id=article["id"],
                        to_article_id=to,
                        to_name=SOURCES[lead][0],
                        basis=basis,
                        detail="0.97 of the text is the same",
                    )
                )
        identity = event_id(made[0])
        mine = [claim for claim in claims if claim["claim_id"] in made]
        for claim in mine:
            claim["event_id"] = identity
        n_origins = len({claim["origin_id"] for claim in mine})
        first, last, precision = span(story.date)
        parties = {(p["entity_id"], p["role"]) for p in participants if p["claim_id"] in made}
        named = {
            role: "; ".join(sorted(ENTITIES[e][0] for e, r in parties if r == role))
            for role in ("actor", "target", "object", "instrument")
        }
        source_types = [SOURCES[claim["source_id"]][1] for claim in mine]
        events.append(
            dict(
                event_id=identity,
                type=story.type,
                modality=story.modality,
                summary=story.summary,
                stage=story.stage,
                direction=story.direction,
                force=story.force,
                jurisdiction=story.jurisdiction,
                date_start=first,
                date_end=last,
                date_precision=precision,
                event_month=first and first[:7],
                actors=named["actor"],
                targets=named["target"],
                objects=named["object"],
                instruments=named["instrument"],
                n_claims=len(mine),
                n_articles=len({claim["article_id"] for claim in mine}),
                n_origins=n_origins,
                origins_band="1" if n_origins == 1 else "2-3" if n_origins < 4 else "4+",
                contradicted=int(bool(story.contradictions)),
                closest_source_type=min(
                    source_types, key=["primary", "lab", "wire", "press", "trade", "aggregator"].index
                ),
                confidence=story.confidence,
                first_reported_on=min(c["published_on"] for c in mine),
                last_reported_on=max(c["published_on"] for c in mine),
            )
        )
        roles += [dict(event_id=identity, entity_id=e, role=r, n_claims=len(mine)) for e, r in sorted(parties)]
        for name, summary, options in story.contradictions:
            key = "k" + hashlib.sha256(f"{identity}{name}".encode()).hexdigest()[:16]
            contradictions.append(dict(contradiction_id=key, event_id=identity, field=name, summary=summary))
            values += [
                dict(contradiction_id=key, value=value, claim_id=made[i]) for value, which in options for i in which
            ]
    _write(db, articles, claims, participants, events, roles, origins, edges, contradictions, values)
    return path


def _write(db, articles, claims, participants, events, roles, origins, edges, contradictions, values) -> None:
    by_source: dict[str, list] = {}
    for (source, day, _), article in articles.items():
        by_source.setdefault(source, []).append((day, article))
    db["sources"].insert_all(
        dict(
            source_id=key,
            title=title,
            homepage=f"https://{key}.example/",
            source_type=source_type,
            family=key,
            jurisdiction=place,
            language="en",
            n_articles=len(by_source.get(key, [])) + 3,
            n_relevant=len(by_source.get(key, [])),
            first_article_on=min(d for d, _ in by_source[key]),
            last_article_on=max(d for d, _ in by_source[key]),
            last_visit_at="2026-07-21T06:40:00+00:00",
            last_success_at="2026-07-12T06:40:00+00:00" if key == "daily-gleaner" else "2026-07-21T06:40:00+00:00",
            health="no answer since 12 July 2026" if key == "daily-gleaner" else "well",
        )
        for key, (title, source_type, place) in SOURCES.items()
    )
    db["fetch_outcomes"].insert_all(
        dict(source_id=key, outcome=name, n=n)
        for key in SOURCES
        for name, n in (("SAVED", 14), ("UNCHANGED", 212), ("NO_TEXT", 1))
    )
    db["entities"].insert_all(
        dict(
            entity_id=key,
            name=name,
            kind=kind,
            jurisdiction=place,
            parent_id=parent or None,
            wikidata_id="",
            description="",
            in_lexicon=1,
            n_events=len({r["event_id"] for r in roles if r["entity_id"] == key}),
            n_claims=len({p["claim_id"] for p in participants if p["entity_id"] == key}),
        )
        for key, (name, kind, place, parent) in ENTITIES.items()
    )
    names = [(key, row[0], "canonical", None, None) for key, row in ENTITIES.items()] + NAMES
    db["entity_names"].insert_all(
        dict(entity_id=e, name=n, kind=k, used_from=a, used_until=b)
        for e, n, k, a, b in names
        if not (e == "nordlys" and k == "x")
    )
    db["entity_relations"].insert_all(
        dict(
            entity_id=key,
            kind="made_by" if row[1] == "model" else "part_of",
            other_id=row[3],
            holds_from=None,
            holds_until=None,
        )
        for key, row in ENTITIES.items()
        if row[3]
    )
    db["origins"].insert_all(
        dict(
            origin_id=key,
            kind=o["kind"],
            label=o["label"],
            lead_article_id=o["articles"][0],
            n_articles=len(set(o["articles"])),
        )
        for key, o in origins.items()
    )
    db["articles"].insert_all(
        dict(
            article_id=a["id"],
            version=a["sha"][16:32],
            source_id=source,
            url=a["url"],
            title=title,
            byline="A. Writer",
            published_at=f"{day}T09:30:00+00:00",
            published_on=day,
            published_basis="json-ld",
            published_precision="minute",
            modified_at=None,
            fetched_at=f"{day}T10:05:00+00:00",
            language="en",
            access="full",
            has_affiliate_content=0,
            n_removed_blocks=2,
            n_versions=2 if title.startswith("Two labs") else 1,
            n_characters=a["length"] + 900,
            n_claims=a["n"],
            page_sha256=a["sha"],
            origin_id=a["origin"],
        )
        for (source, day, title), a in articles.items()
    )
    versions = []
    for (_, day, title), a in articles.items():
        common = dict(article_id=a["id"], page_sha256=a["sha"], n_claims=a["n"])
        versions.append(
            common
            | dict(version=a["sha"][16:32], first_seen_at=f"{day}T10:05:00+00:00", last_seen_at=f"{day}T18:00:00+00:00")
        )
        if title.startswith("Two labs"):
            versions.append(
                common
                | dict(
                    version=a["sha"][32:48], first_seen_at=f"{day}T08:05:00+00:00", last_seen_at=f"{day}T09:00:00+00:00"
                )
            )
    db["article_versions"].insert_all(versions)
    _write_edit(db, articles, claims, participants)
    unique = {(e["article_id"], e["to_article_id"]): e for e in edges}
    db["origin_edges"].insert_all(unique.values())
    for table, rows in (
        ("events", events),
        ("event_participants", roles),
        ("claims", claims),
        ("claim_participants", participants),
        ("contradictions", contradictions),
        ("contradiction_sides", values),
    ):
        db[table].insert_all(rows)
    left_out = ("event_id", "origin_id")
    db["unsure_claims"].insert_all(
        {key: value for key, value in claim.items() if key not in left_out}
        | dict(claim_id=f"{claim['claim_id'][:-2]}{number:02d}", confidence=0.31, participants="actor: Nordlys Labs")
        for number, claim in enumerate(claims[:3])
    )
    first = events[0]["event_id"]
    db["event_redirects"].insert_all(
        [
            dict(
                old_event_id="e0000000000000001",
                event_id=first,
                reason="merged: both stood for the same signing",
                gone_on="2026-07-15",
            ),
            dict(
                old_event_id="e0000000000000002",
                event_id=None,
                reason="The publisher withdrew the only report of it.",
                gone_on="2026-07-16",
            ),
        ]
    )
    first, second = claims[0], next(c for c in claims if c["event_id"] != claims[0]["event_id"])
    decided = dict(status="applied", decided_at="2026-07-20T09:00:00+00:00", decided_on="2026-07-20", now_reads="")
    db["reviews"].insert_all(
        [
            decided
            | dict(
                review_id="r1",
                decision="edit",
                editor="",
                why="It <b>only</b> hopes to.",
                event_id=first["event_id"],
                claim_id=first["claim_id"],
                article_id=first["article_id"],
                subject=first["quote"],
                effect="modality: occurred → planned",
                machine_reading="type: agreement · modality: occurred",
            ),
            decided
            | dict(
                review_id="r2",
                decision="accept",
                editor="Ada Arden",
                why="",
                event_id=second["event_id"],
                claim_id=second["claim_id"],
                article_id=second["article_id"],
                subject=second["quote"],
                effect="confirmed as the program read it",
                machine_reading="",
            ),
            decided
            | dict(
                review_id="r3",
                decision="reject",
                status="reopened",
                editor="",
                why="No.",
                event_id=None,
                claim_id=None,
                article_id=first["article_id"],
                subject="Old words.",
                effect="the sentence now reads differently",
                machine_reading="",
            ),
        ]
    )
    db["unknown_names"].insert(
        dict(
            name="Palisade Group",
            kind="organisation",
            n_articles=2,
            n_mentions=3,
            example_article_id=claims[0]["article_id"],
            example="Palisade Group asked for a copy.",
        )
    )
    for column in ("type", "modality", "origins_band", "contradicted", "force", "jurisdiction", "event_month"):
        db.execute(
            f"insert into facet_counts select 'events', '{column}', {column}, count(*) from events where {column} is not null group by {column}"
        )
    db["build_info"].insert_all(
        [
            dict(key="last_fetched_at", value="2026-07-21T06:40:00+00:00"),
            dict(key="schema_version", value=str(SCHEMA_VERSION)),
            dict(key="program_version", value="0.1.0"),
        ]
    )
    add_timeline_entries(db)
    db["events"].rebuild_fts()
    db["claims"].rebuild_fts()
    db.conn.commit()


def _write_edit(db, articles, claims, participants) -> None:
    """One edit: the article with two versions said before that the labs would sign."""
    article, day = next((a, key[1]) for key, a in articles.items() if key[2].startswith("Two labs"))
    claim = next(c for c in claims if c["article_id"] == article["id"])
    parties = ", ".join(f"{p['name']} ({p['role']})" for p in participants if p["claim_id"] == claim["claim_id"])
    seen = f"{day}T10:05:00+00:00"
    db["article_edits"].insert(
        dict(
            article_id=article["id"],
            nth=1,
            old_version=article["sha"][32:48],
            new_version=article["sha"][16:32],
            old_seen_at=f"{day}T09:00:00+00:00",
            new_seen_at=seen,
            old_title="Two labs to sign",
            new_title="Two labs sign",
            n_sentences_gone=1,
            n_sentences_come=1,
            n_revisions=1,
        )
    )
    db["revisions"].insert(
        dict(
            revision_id="r0000000000000001",
            article_id=article["id"],
            nth=1,
            seen_on=day,
            kind="changed",
            fields="modality",
            event_id=claim["event_id"],
            old_claim_id="c0000000000000001",
            new_claim_id=claim["claim_id"],
            type=claim["type"],
            old_modality="planned",
            new_modality=claim["modality"],
            old_date=claim["date_start"],
            new_date=claim["date_start"],
            old_parties=parties,
            new_parties=parties,
            old_quote=f"It is planned: {claim['quote']}",
            new_quote=claim["quote"],
            summary=f"modality: planned → {claim['modality']}",
        )
    )


def publish(data_dir: Path, name: str = "oversight-20260721T070000.db") -> Path:
    """Make a data folder whose published/current points to the invented world and return the snapshot."""
    folder = Path(data_dir) / "published"
    folder.mkdir(parents=True, exist_ok=True)
    snapshot = make_snapshot(folder / name)
    (folder / "current").symlink_to(snapshot.name)
    return snapshot


def unmarked(db: sqlite3.Connection, event_id: str, sentence: str) -> None:
    """Make a sentence the quote of all claims of an event, without marks in it."""
    db.execute(
        "update claims set quote = ?, trigger_start = -1, trigger_end = -1 where event_id = ?", [sentence, event_id]
    )
    db.execute(
        "update claim_participants set start = -1, end = -1 where claim_id in "
        "(select claim_id from claims where event_id = ?)",
        [event_id],
    )


def rebuilt(snapshot: Path, folder: Path, sentence: str) -> Path:
    """Copy a snapshot to build.db with another summary and other quotes of its newest event."""
    target = folder / "build.db"
    shutil.copy(snapshot, target)
    with closing(sqlite3.connect(target)) as db:
        (event_id,) = db.execute(
            "select event_id from events order by first_reported_on desc, n_origins desc limit 1"
        ).fetchone()
        db.execute("update events set summary = ? where event_id = ?", [sentence, event_id])
        unmarked(db, event_id, sentence)
        db.commit()
    return target
