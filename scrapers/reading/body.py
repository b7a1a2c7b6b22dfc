"""A parsed page of an unknown layout in; the blocks of its article out, by where the running text stands."""

from __future__ import annotations

import re
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from scrapers.reading.blocks import HEADINGS, Block, attribute, blocks, letters, parse, take_out, tidy

_NEVER = (
    "script,style,noscript,template,svg,nav,footer,form,button,iframe,aside,figure,figcaption,dialog,menu,select,"
    "audio,video,object,[hidden]:not(p),[aria-hidden=true]:not(p),[role=navigation],[role=complementary],[role=dialog],"
    "[role=search],[role=banner],[role=contentinfo],[style*='display:none'],[style*='display: none'],"
    "[aria-roledescription=carousel],[data-ad],[itemprop=author],[itemprop=caption],.aria-hidden"
)
# Words of class names and ids that name what stands beside an article. Matched at the start of a word of the name.
_BESIDE = re.compile(
    r"(?:^|[\s_:/-])(?:"
    r"ads?(?![a-z])|advert|adslot|sponsor|promo(?!te)|related|recommend|recirc|newsletter|subscri|sign-?up|signin|"
    r"social|share|sharing|comments?(?![a-z])|disqus|outbrain|taboola|breadcrumb|sidebar|side-?rail|right-?rail|"
    r"most-?(?:read|popular|viewed|shared)|trending|read-?(?:more|next|also)|more-?(?:from|on|stories|news|in)|up-?next|"
    r"see-?also|also-?(?:like|read)|you-?may|author-?(?:bio|info|box|card|block|profile|details|meta)|bio(?![a-z])|byline|"
    r"(?:tag|topic|keyword)s?-?(?:list|cloud|links|container)|tags|topics|caption|image-?credit|photo-?credit|cookie|onetrust|ccpa|privacy-?|"
    r"consent|gdpr|modal|popup|overlay|(?:paywall|regwall)-?(?:message|prompt|banner|cta|modal|offer|overlay|bar)|affiliate|product-?(?:card|box|list|widget)|widget|toolbar|"
    r"navbar|nav-|navigation|masthead|copyright|skip-?link|sr-only|visually-?hidden|screen-?reader|print-only|no-?print|"
    r"gallery|carousel|video-?(?:player|caption|info)|poll|quiz|donat|feedback|teaser(?!-?(?:content|text))|twitter-?tweet|tiktok-?embed|instagram-?media|"
    r"follow-?us|app-?(?:promo|download)|dateline-?box|timestamp|published-?(?:date|at|on)|post-?meta|entry-?meta|"
    r"article-?(?:meta|tags|footer|info)|post-?footer|entry-?footer|inline-?(?:cta|link|promo)|cta(?![a-z])|"
    r"pull-?quote|hidden(?![a-z])|footnotes-?nav|partner-?links|supported-?by|what-?to-?read"
    r")",
    re.I,
)
# Consent boxes: their small print can be longer than a short article.
_CONSENT = re.compile(
    r"onetrust|cookie-?(?:consent|banner|notice|policy|law)|consent-?(?:sdk|banner|modal|box|manager)|gdpr|didomi|"
    r"qc-cmp|truste|sp_message|cmp-?(?:container|wrapper|banner)",
    re.I,
)
_BEARERS = "p,div,span,section,article,blockquote"  # elements that may bear running text of their own
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_KEPT_WHOLE = frozenset({"body", "html", "main"})
_ENDS = '.!?…"”’):;'
_LABEL_MAX_CHARS = 120
_NAMES_MAX_CHARS = 300
_PARAGRAPH_MIN_CHARS = 40
_NEARLY_ALL = 0.86  # a child with this share of the running text holds the article
_MOST = 0.6  # so does a child with this share that is not one of several alike
_BESIDE_SHARE = 0.35  # a part that holds more of the running text than this is the article, whatever it is called


@lru_cache(maxsize=20_000)
def stands_beside(names: str) -> bool:
    """Say whether class names or an id speak of something beside the article: adverts, teasers, comments, shares."""
    return bool(_BESIDE.search(_CAMEL.sub("-", names)))


def running_text(tree: LexborHTMLParser) -> dict[int, int]:
    """Return, by node id, how many characters of running text (paragraphs not made of links) stand in each element.

    One pass over what may bear text, in document order, beside the line of elements that the last one stands in: each
    hands its sum to its parent when it is left, and is climbed over once. Linear on any page.
    """
    weights: dict[int, int] = {}
    line: list[int] = []  # ids from the outermost element to the last one
    depth: dict[int, int] = {}  # of those in the line
    for node in tree.css(_BEARERS):
        weight = _prose_length(node)
        if not weight:
            continue
        new: list[int] = []
        here: LexborNode | None = node
        while here is not None and here.mem_id not in depth:
            new.append(here.mem_id)
            here = here.parent
        _leave(line, depth, weights, depth[here.mem_id] + 1 if here is not None else 0)
        for one in reversed(new):
            depth[one] = len(line)
            line.append(one)
        weights[node.mem_id] = weights.get(node.mem_id, 0) + weight
    _leave(line, depth, weights, 0)
    return weights


def _leave(line: list[int], depth: dict[int, int], weights: dict[int, int], kept: int) -> None:
    """Leave all elements of a line but the `kept` outermost, each handing its sum to the one that it stands in."""
    while len(line) > kept:
        left = line.pop()
        del depth[left]
        if line:
            weights[line[-1]] = weights.get(line[-1], 0) + weights[left]


def _prose_length(node: LexborNode) -> int:
    if node.tag == "p":
        text = node.text(strip=True)
        length = len(text)
        if length < _PARAGRAPH_MIN_CHARS:
            return 0
        in_links = sum(len(a.text(strip=True)) for a in node.css("a"))
        return length if in_links < 0.5 * length else 0
    own = node.text(deep=False, strip=True)
    return len(own) if len(own) >= 2 * _PARAGRAPH_MIN_CHARS and " " in own else 0


def is_mostly_links(html: str) -> bool:
    """Say whether more than half of a page's text stands in links, as on a listing."""
    body = parse(html).body
    if body is None:
        return False
    found = blocks(body)
    return sum(block.link_chars for block in found) > 0.5 * sum(len(block.text) for block in found)


def general_body(tree: LexborHTMLParser, description: str = "", weights: dict[int, int] | None = None) -> list[Block]:
    """Return the blocks of the article on a page. The tree is changed: what stands beside the article is taken out.

    `weights`: running_text() of the tree, where it is known already. `description` is what the page's metadata says of
    it: where the same words stand on the page they are its deck, and they come first.
    """
    body = tree.body
    if body is None:
        return []
    deck = find_deck(tree, description)
    _take_out_beside(tree, running_text(tree) if weights is None else weights)
    weights = running_text(tree)
    if not weights.get(body.mem_id):
        return []
    found = prune(blocks(_container(tree, body, weights)))
    return with_deck(found, deck)


def find_deck(tree: LexborHTMLParser, description: str) -> str:
    """Return the line on the page that its description repeats, "" where none does."""
    wanted = letters(description)
    if len(wanted) < _PARAGRAPH_MIN_CHARS:
        return ""
    for node in tree.css("h2,h3,h4,p,div,span"):
        text = node.text(deep=node.tag in {"h2", "h3", "h4", "p"})
        if len(text) < _PARAGRAPH_MIN_CHARS or abs(len(text) - len(description)) > 0.2 * len(description) + 40:
            continue
        said = letters(text)
        if said == wanted or (len(wanted) > 100 and said.startswith(wanted[:-4])):
            return tidy(text)
    return ""


def with_deck(found: list[Block], deck: str) -> list[Block]:
    """Put the deck before the body, unless the body has it already."""
    said = letters(deck)
    if not found or not said or any(said in letters(block.text) for block in found):
        return found
    return [Block("p", deck), *found]


def _take_out_beside(tree: LexborHTMLParser, weights: dict[int, int]) -> None:
    total = weights.get(tree.body.mem_id, 0) if tree.body is not None else 0
    small = _BESIDE_SHARE * total
    take_out([node for node in tree.css(_NEVER) if weights.get(node.mem_id, 0) <= small])
    beside = []
    for node in tree.css("[class],[id]"):
        named = node.attributes
        names = f"{named.get('class') or ''} {named.get('id') or ''}"[:_NAMES_MAX_CHARS]
        if not stands_beside(names) or node.tag in _KEPT_WHOLE:
            continue
        if weights.get(node.mem_id, 0) <= small or _CONSENT.search(names):
            beside.append(node)
    take_out(beside)


def _container(tree: LexborHTMLParser, body: LexborNode, weights: dict[int, int]) -> LexborNode:
    """Go down from the body for as long as one child alone holds nearly all the running text."""
    here = body
    for candidate in tree.css("[itemprop=articleBody],[itemprop='articlebody']"):
        if weights.get(candidate.mem_id, 0) >= 0.5 * weights[body.mem_id]:
            here = candidate
            break
    while heir := _heir(here, weights):
        here = heir
    return here


def _heir(here: LexborNode, weights: dict[int, int]) -> LexborNode | None:
    """Return the child that holds nearly all the running text of an element, or most of it and is unlike the others."""
    parts: list[tuple[int, LexborNode]] = []
    child = here.child
    while child is not None:
        if weight := weights.get(child.mem_id, 0):
            parts.append((weight, child))
        child = child.next
    if not parts:
        return None
    weight, heir = max(parts, key=lambda part: part[0])
    if heir.tag in {"p", "blockquote"} or weight < _MOST * weights[here.mem_id]:
        return None
    if weight >= _NEARLY_ALL * weights[here.mem_id]:
        return heir
    twins = [node for _, node in parts if node.mem_id != heir.mem_id and _signature(node) == _signature(heir)]
    loose = [node for _, node in parts if node.tag in {"p", "blockquote"}]
    return None if twins or loose else heir


def _signature(node: LexborNode) -> tuple[str, str]:
    return node.tag or "", attribute(node, "class")


def prune(found: list[Block]) -> list[Block]:
    """Leave out blocks that are links rather than text, and headings that nothing follows."""
    kept = [b for b in found if b.kind != "h1" and not is_only_links(b) and not _is_label(b)]
    prose_at = [
        i for i, block in enumerate(kept) if block.kind not in HEADINGS and len(block.text) >= _PARAGRAPH_MIN_CHARS
    ]
    if not prose_at:
        return []
    first, last = prose_at[0], prose_at[-1]
    last = max([last, *(i for i in range(last + 1, len(kept)) if _is_sentence(kept[i]))])
    while first > 0 and _is_sentence(kept[first - 1]):
        first -= 1
    kept = kept[first : last + 1]
    return [b for i, b in enumerate(kept) if not (b.kind in HEADINGS and _nothing_follows(kept, i))]


def is_only_links(block: Block) -> bool:
    if block.kind in HEADINGS:
        return False
    return block.link_chars > (0.8 if len(block.text) > 200 else 0.6) * len(block.text)


def _is_label(block: Block) -> bool:
    """Say whether a block is a stray line in no paragraph of its own: a caption, a time, a credit, a label."""
    return block.kind == "div" and len(block.text) < _LABEL_MAX_CHARS and block.text[-1] not in _ENDS


def _is_sentence(block: Block) -> bool:
    return block.kind in {"p", "li", "blockquote"} and len(block.text) >= 12 and block.text[-1] in _ENDS


def _nothing_follows(kept: list[Block], at: int) -> bool:
    return all(block.kind in HEADINGS for block in kept[at + 1 :])
