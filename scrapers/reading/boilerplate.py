"""Removes boilerplate paragraphs from articles: advertising, newsletters, captions, credits and teasers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from scrapers.items import RemovedBlock
from scrapers.reading.blocks import letters, tidy

_MAX_LINE_CHARS = 320  # longer paragraphs are prose, which may mention newsletters too
_TITLE_MAX = 260
_TAIL_SHARE = 0.4  # a tail heading followed by a larger share of the text is in the middle of the article
_TAIL_HEADING_MAX = 90
_PROSE_MIN = 80
_QUOTES_MAX_TEXT = 200_000  # the search for pull quotes is quadratic
_ENDS = '.!?…"”’»)]:;'


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The kept paragraphs, their indexes in the input, and the removed ones, all in order."""

    kept: tuple[str, ...]
    kept_at: tuple[int, ...]
    removed: tuple[RemovedBlock, ...]
    has_affiliate_content: bool

    @property
    def text(self) -> str:
        """The kept paragraphs joined by a blank line."""
        return "\n\n".join(self.kept)


@dataclass(frozen=True, slots=True)
class _Any:
    """Alternative patterns; those that begin with "^" are separate, since searching for them is slow."""

    beginning: re.Pattern[str]
    anywhere: re.Pattern[str] | None

    def fits(self, line: str) -> bool:
        return bool(self.beginning.match(line) or (self.anywhere is not None and self.anywhere.search(line)))


def _any(*patterns: str) -> _Any:
    beginning = [pattern for pattern in patterns if pattern.startswith("^")]
    anywhere = [pattern for pattern in patterns if not pattern.startswith("^")]
    return _Any(_either(beginning), _either(anywhere) if anywhere else None)


def _either(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.I)


_AFFILIATE = _any(
    r"^as an? (?:\w+ )?(?:affiliate|associate)\b.{0,80}\bearn",
    r"\bearn\b.{0,60}\b(?:qualifying|eligible) purchases",
    r"\b(?:may|might|can|could|will) (?:also )?(?:earn|receive|get|make) (?:\w+ ){0,3}?(?:commissions?|"
    r"compensation)\b",
    r"\b(?:contains?|includes?|uses?) affiliate links?",
    r"\baffiliate (?:links?|commissions?|disclosure|partnerships?)\b.{0,120}(?:earn|commission|paid|disclos|"
    r"policy|$)",
    r"^(?:affiliate|sponsored|paid) (?:disclosure|content|post|links?|partnership)\b",
    r"\bwe (?:independently )?(?:select|review)\b.{0,120}\b(?:commission|purchase|buy)",
)
_SHOP = _any(
    r"^(?:view|buy|shop|see|get|check|find)(?: \w+){0,4} (?:on|at|from) (?:amazon|walmart|best buy|ebay|target|"
    r"etsy)\b.{0,40}$",
    r"^(?:buy|shop|order|get it|view deal|see deal|check price|see price|view offer)(?: now| here| today)?[!.]?$",
    r"^(?:(?:now|was|from|only|price|list price)[:\s]+)*[$£€]\s?\d[\d,.]*(?:\s+(?:at|on|from) \w[\w .]{0,30})?$",
)
_NEWSLETTER = _any(
    r"^(?:please )?(?:sign|signing) ?up\b.{0,200}\b(?:newsletter|email|e-mail|inbox|alerts?|updates?|here|"
    r"briefing|digest|free)\b",
    r"\b(?:sign|signing) ?up (?:to|for) (?:our|the|your|my|a|this)\b.{0,100}\b(?:newsletters?|briefing|digest|"
    r"alerts?|emails?)\b",
    r"^(?:please )?subscribe\b(?! to the (?:view|theory|idea|belief))",
    r"\bsubscribe to (?:our|the|my)\b.{0,80}\b(?:newsletter|channel|podcast|briefing|magazine|digest|feed)\b",
    r"^(?:get|want|receive)\b.{0,120}\b(?:(?:in|to) your inbox|newsletter|straight to your (?:phone|device|inbox)|"
    r"delivered)\b",
    r"\b(?:delivered|sent|straight|direct(?:ly)?) to your (?:inbox|phone|device)\b",
    r"^(?:join|follow|like|find|add) (?:us|our|\w+(?:\.\w+)?|the \w+(?: \w+)?)\b.{0,60}\bon (?:whatsapp|twitter|x|"
    r"facebook|instagram|tiktok|"
    r"telegram|linkedin|bluesky|threads|youtube|google news|snapchat)\b",
    r"^(?:for (?:more|the latest)|check out (?:more|the latest))\b.{0,160}\b(?:sign(?:ing)? up|click|check|visit|"
    r"follow|subscribe|newsletter|page)\b",
    r"^download (?:our|the) (?:free )?app\b",
    r"^by (?:signing up|subscribing|entering|submitting|clicking)\b.{0,200}\b(?:agree|accept|consent|acknowledge)\b",
    r"^(?:we use your sign-?up|our community members are|this site is protected by recaptcha|you can unsubscribe|"
    r"thank you for (?:signing|subscribing|registering))",
    r"^(?:do you have|have you got|got|have) an? (?:story|tip|question|news tip|confidential tip)\b.{0,200}",
    r"^(?:already a (?:subscriber|member)|not a (?:subscriber|member))\b",
    r"^(?:support|donate to) (?:our|independent|this)\b.{0,100}\b(?:journalism|work|reporting|site)\b",
)
_ADVERT = _any(
    r"^-?\s*(?:advert|advertisement|advertising|ad|sponsored|promoted|promotion|ad feedback|paid "
    r"advertisement)s?\s*-?$",
    r"^(?:article|story|content|post)?\s*continues? (?:below|after|beneath)\b.{0,40}$",
    r"^(?:advertisement|ad) [-–—.] (?:scroll|article|story)\b.{0,40}$",
    r"^(?:scroll|swipe) (?:to|down|for) \w.{0,30}$",
)
_SHARE = _any(
    r"^share(?: this)?(?: (?:article|story|post|page|video))?(?: (?:on|via|with)\b.{0,60})?:?$",
    r"^(?:print|email|copy link|copy url|link copied|bookmark|save|comments?|add comment|leave a (?:reply|comment)|"
    r"view comments?|show comments?|\d+ comments?|listen(?: to this article)?|watch now|play video|read aloud|"
    r"loading\b.{0,3}|"
    r"click to (?:share|tweet)\b.{0,40}|tweet|whatsapp|facebook|twitter|linkedin|reddit|table of contents|menu|"
    r"close)[.!:]?$",
    r"^(?:listen|subscribe|watch) (?:here|now) on\b.{0,60}$",
    r"^\d+ min(?:ute)?s? (?:read|listen)$",
    r"^(?:follow|connect with) \w[\w. ]{1,40}$(?<![.!?])",
)
_CAPTION = _any(
    r"^\(?(?:photo|image|picture|video|illustration|graphic|photograph|credit|image credits?|photo credits?|"
    r"caption|pictured)s?\s*(?:credit|source|courtesy)?\s*(?::|by |via |/|\|)",
    r"^(?:file|stock) (?:photo|image|picture)\b",
    r"^[^.!?]{0,80}(?:/|\||via|—|-)\s*(?:getty images?|reuters|associated press|ap photo|afp|shutterstock|istock|"
    r"unsplash|bloomberg)\b[^.!?]{0,40}$",
    r"^(?:getty images?|reuters|ap|afp|pa|ap photo|shutterstock|istock|pa wire|epa|bloomberg)$",
    r"\((?:ap photo|photo by|photo:|image:|picture:|getty|reuters/|afp/|pa wire)[^)]{0,120}\)\.?$",
)
_POINTER = _any(
    r"^(?:read (?:more|also|next|on)|see (?:also|more)|also read|related(?: (?:story|stories|article|articles|"
    r"coverage|news|video|reading))?|"
    r"more:|recommended|watch(?: (?:also|more))?|listen|must read|don['’]t miss|also on \w+|exclusive:? "
    r"read)\s*(?::|[-–—>|»]|→).{0,200}$",
    r"^(?:read more|see more|learn more|view more|show more|load more|continue reading|keep reading|full story|"
    r"more info|"
    r"editor['’]?s picks?|related(?: coverage| stories| articles| content)?|see also|most read|most popular|"
    r"trending(?: now)?|"
    r"popular(?: now)?|recommended(?: for you)?|up next|in this story|in this article)\s*[.…>»→:]*$",
    r"^(?:click|tap) here (?:to|for)\b.{0,160}$",
    r"^for more (?:stories|news|articles|on this)\b.{0,160}$",
    r"^_{2,}$",
    r"^[-*•·–—=#\s]{1,40}$",
)
_CREDIT = _any(
    r"^\(?(?:additional )?report(?:ing|ed) by [A-Z].{0,260}$",
    r"^\(?(?:writing|editing|compiled|edited|produced|translated) by [A-Z].{0,200}$",
    r"^our standards: the thomson reuters trust principles",
    r"^(?:associated press|ap) writers? .{0,200}\bcontributed\b",
    r"^[A-Z][\w.’'-]+(?: and [A-Z][\w.’'-]+)* (?:reported|is reporting) from [A-Z].{0,200}\bcontributed\b.{0,80}$",
    r"^(?:©|copyright\b|\(c\) ?\d{4}).{0,200}$",
    r"^all rights reserved\b.{0,160}$",
    r"^this (?:material|article|story) may not be (?:published|reproduced).{0,160}$",
    r"^(?:the )?[\w ]{0,40}licenses this article under\b.{0,160}$",
)
_SOURCE = _any(
    r"^(?:news |original )?(?:source|via|h/t|hat tip)s?\s*[:\-–—]\s*[^.!?]{2,100}\.?$",
    r"^via [A-Z][^.!?]{1,60}$",
    r"^(?:this (?:article|story|post|report|piece) )?(?:was )?(?:first|originally) (?:appeared|published|reported|"
    r"posted)\b.{0,160}$",
    r"^read the (?:full|original) (?:article|story|report)\b.{0,120}$",
)
_TEASERS = re.compile(
    r"^(?:you (?:may|might)(?: also)? (?:like|enjoy|be interested in|have missed)|you['’]ll also like|we (?:also "
    r")?recommend|"
    r"(?:related|recommended|similar|more|other|latest|popular|trending|recent|top|featured|must[- ]read)\s+"
    r"(?:stories|articles?|posts?|reading|reads|content|coverage|news|topics|videos?|links?|headlines)"
    r"(?: (?:from|on|about|for you)\b.{0,50})?|recommended(?: for you| by\b.{0,30})?|more from\b[^:]{0,60}(?!:)|"
    r"more on this(?: story| topic)?|more in\b[^:]{0,40}(?!:)|what to read next|read next|up next|next up|see "
    r"also|also read|"
    r"don['’]t miss|most (?:read|popular|viewed|shared)\b.{0,30}|trending(?: now)?|editor['’]?s picks?|post "
    r"navigation|"
    r"you may have missed|from around the web)\s*[:.…!]*$",
    re.I,
)
_AFTER_ALL = re.compile(
    r"^(?:leave a (?:reply|comment)|(?:\d+ )?comments|about the authors?|share this(?: article| story| post)?|"
    r"follow us|"
    r"stay connected|join the (?:conversation|discussion))\s*[:.…!]*$",
    re.I,
)

_RULES = (
    ("affiliate", _AFFILIATE),
    ("shop-line", _SHOP),
    ("source-line", _SOURCE),
    ("newsletter", _NEWSLETTER),
    ("advert", _ADVERT),
    ("share", _SHARE),
    ("caption", _CAPTION),
    ("pointer", _POINTER),
    ("credit-line", _CREDIT),
)
_SELLING = {"affiliate", "shop-line"}


def clean_text(text: str) -> Cleaned:
    """Clean a plain text, whose paragraphs are separated by blank lines or, without any, by line breaks."""
    parts = re.split(r"\n\s*\n", text.strip())
    return clean(parts if len(parts) > 1 else text.strip().split("\n"))


def clean(paragraphs: list[str]) -> Cleaned:
    """Remove boilerplate; each paragraph is either kept or among the removed."""
    lines = [tidy(paragraph) for paragraph in paragraphs]
    rules: list[str] = [rule_for(line) for line in lines]
    _mark_tail(lines, rules)
    _mark_repeats(lines, rules)
    _mark_products(lines, rules)
    _mark_pull_quotes(lines, rules)
    kept_at = tuple(i for i, rule in enumerate(rules) if not rule and lines[i])
    return Cleaned(
        kept=tuple(lines[i] for i in kept_at),
        kept_at=kept_at,
        removed=tuple(RemovedBlock(line, rule) for line, rule in zip(lines, rules, strict=True) if rule and line),
        has_affiliate_content=any(rule in _SELLING for rule in rules),
    )


def rule_for(line: str) -> str:
    """Return the rule that a paragraph matches by its own words, or ""."""
    if len(line) > _MAX_LINE_CHARS:
        return ""
    return next((name for name, rule in _RULES if rule.fits(line)), "")


def is_title_like(line: str) -> bool:
    """Return whether a line looks like a title: short, and without final punctuation."""
    return 0 < len(line) <= _TITLE_MAX and line[-1] not in _ENDS


def _mark_tail(lines: list[str], rules: list[str]) -> None:
    """Mark what follows the article: everything after "Comments", and the teasers after "You may also like".

    A teaser is a title with at most one paragraph; two consecutive paragraphs of prose belong to the article again.
    """
    total = sum(map(len, lines)) or 1
    for at, line in enumerate(lines):
        after_all = at and len(line) <= _TAIL_HEADING_MAX and _AFTER_ALL.match(line)
        teasers = at and len(line) <= _TAIL_HEADING_MAX and _TEASERS.match(line)
        if rules[at] == "tail" or not (after_all or teasers):
            continue
        rest = sum(map(len, lines[at + 1 :]))
        if after_all and rest <= _TAIL_SHARE * total:
            rules[at:] = [rule or "tail" for rule in rules[at:]]
            return
        if teasers:
            end = _end_of_teasers(lines, at + 1) if rest <= _TAIL_SHARE * total else _end_of_titles(lines, at + 1)
            rules[at:end] = [rule or "tail" for rule in rules[at:end]]


def _end_of_teasers(lines: list[str], start: int) -> int:
    """Return the index of the first of two consecutive paragraphs of prose, or the end."""
    for i in range(start, len(lines) - 1):
        if _is_prose(lines[i]) and _is_prose(lines[i + 1]):
            return i
    return len(lines)


def _end_of_titles(lines: list[str], start: int) -> int:
    end = start
    while end < len(lines) and is_title_like(lines[end]) and len(lines[end]) > 20:
        end += 1
    return end


def _is_prose(line: str) -> bool:
    return len(line) >= _PROSE_MIN and not is_title_like(line)


def _mark_repeats(lines: list[str], rules: list[str]) -> None:
    """Mark repeated title-like lines, and all copies of a paragraph but the first."""
    counts = Counter(line for line, rule in zip(lines, rules, strict=True) if line and not rule)
    seen: set[str] = set()
    for i, line in enumerate(lines):
        if rules[i] or counts[line] < 2 or len(line) < 12:
            continue
        if is_title_like(line) or line in seen and len(line) >= 60:
            rules[i] = "repeated-line"
        seen.add(line)


def _mark_products(lines: list[str], rules: list[str]) -> None:
    """Mark product titles directly before an affiliate or shop line."""
    filled = [i for i, line in enumerate(lines) if line]
    for before, here in reversed(list(zip(filled, filled[1:], strict=False))):
        if rules[here] in _SELLING | {"product-title"} and not rules[before] and is_title_like(lines[before]):
            rules[before] = "product-title"


def _mark_pull_quotes(lines: list[str], rules: list[str]) -> None:
    """Mark short quotations and highlights whose words occur in a longer paragraph too."""
    bare = [letters(line) if not rule else "" for line, rule in zip(lines, rules, strict=True)]
    whole = "\n".join(bare)
    if len(whole) > _QUOTES_MAX_TEXT or len(lines) > 2_000:
        return
    for i, words in enumerate(bare):
        is_quote = lines[i][:1] in "\"“‘'«" or is_title_like(lines[i])
        if is_quote and 40 <= len(words) <= 300 and whole.count(words) > 1:
            longer = any(words in other and len(other) > len(words) for j, other in enumerate(bare) if j != i)
            if longer:
                rules[i] = "pull-quote"
