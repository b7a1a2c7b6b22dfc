"""The general reader: finds the article on a page of unknown layout.

general_body() goes by the density of running text. choose() compares it with trafilatura's body: where they agree, ours
is taken, without the short lines that trafilatura leaves out, which are captions, labels and links to other articles.
Where they differ, a third opinion decides: the articleBody of the page's JSON-LD, or jusText. The limits matter little:
chosen anew without each outlet, they read its pages as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from scrapers.reading.blocks import HEADINGS, Block, attribute, blocks, letters, parse, remove, tidy

_NEVER = (
    "script,style,noscript,template,svg,nav,footer,form,button,iframe,aside,figure,figcaption,dialog,menu,select,"
    "audio,video,object,[hidden]:not(p),[aria-hidden=true]:not(p),[role=navigation],[role=complementary],[role=dialog],"
    "[role=search],[role=banner],[role=contentinfo],[style*='display:none'],[style*='display: none'],"
    "[aria-roledescription=carousel],[data-ad],[itemprop=author],[itemprop=caption],.aria-hidden"
)
# Class names and ids of elements next to an article, matched at the start of a word.
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
# Consent boxes; their small print can be longer than a short article.
_CONSENT = re.compile(
    r"onetrust|cookie-?(?:consent|banner|notice|policy|law)|consent-?(?:sdk|banner|modal|box|manager)|gdpr|didomi|"
    r"qc-cmp|truste|sp_message|cmp-?(?:container|wrapper|banner)",
    re.I,
)
_TEXT_ELEMENTS = "p,div,span,section,article,blockquote"  # elements that may contain running text directly
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_KEPT_WHOLE = frozenset({"body", "html", "main"})
_ENDS = '.!?…"”’):;'
_LABEL_MAX_CHARS = 120
_NAMES_MAX_CHARS = 300
_PARAGRAPH_MIN_CHARS = 40
_NEARLY_ALL = 0.86  # a child with this share of the running text contains the article
_MOST = 0.6  # so does a child with this share, unless it has similar siblings
_BESIDE_SHARE = 0.35  # an element with a larger share is the article, whatever its class
AGREED = 0.8  # F1 of the shingles from which two bodies are the same text
RELATED = 0.2  # below it a third opinion is of another text
_MANY_H1 = 3
SHORT = 100  # characters; a shorter block needs both readers
_SHINGLE = 4  # words
_WORD = re.compile(r"\w+")
_BLOCK_TAG = re.compile(r"</?(?:p|br|div|h[1-6]|li)\b[^>]*>")
_TAG = re.compile(r"<[^>]{1,500}>")


@lru_cache(maxsize=20_000)
def is_beside_article(names: str) -> bool:
    """Return whether class names or an id belong to something next to the article, such as adverts or comments."""
    return bool(_BESIDE.search(_CAMEL.sub("-", names)))


def running_text(tree: LexborHTMLParser) -> dict[int, int]:
    """Return, by node id, the number of characters of running text in each element, excluding lists of links.

    One pass in document order. The ancestors of the current element are on a stack; an element that is popped adds its
    sum to its parent. Linear in the size of the page.
    """
    weights: dict[int, int] = {}
    stack: list[int] = []  # ids of open elements, outermost first
    depth: dict[int, int] = {}  # positions in the stack
    for node in tree.css(_TEXT_ELEMENTS):
        weight = _prose_length(node)
        if not weight:
            continue
        new: list[int] = []
        here: LexborNode | None = node
        while here is not None and here.mem_id not in depth:
            new.append(here.mem_id)
            here = here.parent
        _pop(stack, depth, weights, depth[here.mem_id] + 1 if here is not None else 0)
        for one in reversed(new):
            depth[one] = len(stack)
            stack.append(one)
        weights[node.mem_id] = weights.get(node.mem_id, 0) + weight
    _pop(stack, depth, weights, 0)
    return weights


def _pop(stack: list[int], depth: dict[int, int], weights: dict[int, int], kept: int) -> None:
    """Pop all elements but the `kept` outermost; each adds its sum to its parent."""
    while len(stack) > kept:
        left = stack.pop()
        del depth[left]
        if stack:
            weights[stack[-1]] = weights.get(stack[-1], 0) + weights[left]


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
    """Return whether more than half of a page's text is in links, as on a listing."""
    body = parse(html).body
    if body is None:
        return False
    found = blocks(body)
    return sum(block.link_chars for block in found) > 0.5 * sum(len(block.text) for block in found)


def general_body(tree: LexborHTMLParser, description: str = "") -> list[Block]:
    """Return the blocks of the article on a page. Elements next to the article are removed from the tree.

    Args:
        tree: The parsed page; it is modified.
        description: The description in the metadata. If it also occurs on the page, it is the deck and comes first.
    """
    body = tree.body
    if body is None:
        return []
    deck = find_deck(tree, description)
    _remove_beside(tree, running_text(tree))
    weights = running_text(tree)
    if not weights.get(body.mem_id):
        return []
    found = prune(blocks(_container(tree, body, weights)))
    return with_deck(found, deck)


def find_deck(tree: LexborHTMLParser, description: str) -> str:
    """Return the text on the page that equals its description, or ""."""
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
    """Put the deck before the body, unless the body contains it."""
    said = letters(deck)
    if not found or not said or any(said in letters(block.text) for block in found):
        return found
    return [Block("p", deck), *found]


def _remove_beside(tree: LexborHTMLParser, weights: dict[int, int]) -> None:
    total = weights.get(tree.body.mem_id, 0) if tree.body is not None else 0
    small = _BESIDE_SHARE * total
    remove([node for node in tree.css(_NEVER) if weights.get(node.mem_id, 0) <= small])
    beside = []
    for node in tree.css("[class],[id]"):
        named = node.attributes
        names = f"{named.get('class') or ''} {named.get('id') or ''}"[:_NAMES_MAX_CHARS]
        if not is_beside_article(names) or node.tag in _KEPT_WHOLE:
            continue
        if weights.get(node.mem_id, 0) <= small or _CONSENT.search(names):
            beside.append(node)
    remove(beside)


def _container(tree: LexborHTMLParser, body: LexborNode, weights: dict[int, int]) -> LexborNode:
    """Descend from the body while one child contains nearly all of the running text."""
    here = body
    for candidate in tree.css("[itemprop=articleBody],[itemprop='articlebody']"):
        if weights.get(candidate.mem_id, 0) >= 0.5 * weights[body.mem_id]:
            here = candidate
            break
    while child := _main_child(here, weights):
        here = child
    return here


def _main_child(here: LexborNode, weights: dict[int, int]) -> LexborNode | None:
    """Return the child with nearly all of the running text, or with most of it and without similar siblings."""
    parts: list[tuple[int, LexborNode]] = []
    child = here.child
    while child is not None:
        if weight := weights.get(child.mem_id, 0):
            parts.append((weight, child))
        child = child.next
    if not parts:
        return None
    weight, main = max(parts, key=lambda part: part[0])
    if main.tag in {"p", "blockquote"} or weight < _MOST * weights[here.mem_id]:
        return None
    if weight >= _NEARLY_ALL * weights[here.mem_id]:
        return main
    twins = [node for _, node in parts if node.mem_id != main.mem_id and _signature(node) == _signature(main)]
    loose = [node for _, node in parts if node.tag in {"p", "blockquote"}]
    return None if twins or loose else main


def _signature(node: LexborNode) -> tuple[str, str]:
    return node.tag or "", attribute(node, "class")


def prune(found: list[Block]) -> list[Block]:
    """Drop blocks that are links rather than text, labels, and headings that nothing follows.

    An <h1> is the headline, unless there are so many that they must be headings inside the text.
    """
    headline = "h1" if sum(block.kind == "h1" for block in found) < _MANY_H1 else ""
    kept = [b for b in found if b.kind != headline and not is_only_links(b) and not _is_label(b)]
    prose_at = [
        i for i, block in enumerate(kept) if block.kind not in HEADINGS and len(block.text) >= _PARAGRAPH_MIN_CHARS
    ]
    if not prose_at:
        return []
    first, last = prose_at[0], prose_at[-1]
    last = max([last, *(i for i in range(last + 1, len(kept)) if _is_sentence(kept[i]))])
    while first > 0 and _is_sentence(kept[first - 1]):
        first -= 1
    if first > 0 and kept[first - 1].kind in HEADINGS:
        first -= 1
    kept = kept[first : last + 1]
    return [b for i, b in enumerate(kept) if not (b.kind in HEADINGS and _nothing_follows(kept, i))]


def is_only_links(block: Block) -> bool:
    if block.kind in HEADINGS:
        return False
    return block.link_chars > (0.8 if len(block.text) > 200 else 0.6) * len(block.text)


def _is_label(block: Block) -> bool:
    """Return whether a block is a caption, time, credit or label rather than a paragraph."""
    return block.kind == "div" and len(block.text) < _LABEL_MAX_CHARS and block.text[-1] not in _ENDS


def _is_sentence(block: Block) -> bool:
    return block.kind in {"p", "li", "blockquote"} and len(block.text) >= 12 and block.text[-1] in _ENDS


def _nothing_follows(kept: list[Block], at: int) -> bool:
    return all(block.kind in HEADINGS for block in kept[at + 1 :])


def choose(own: list[Block], other: list[Block], third: Callable[[], list[Block]]) -> list[Block]:
    """Return the better of two bodies of a page.

    Args:
        own: The body by our reader.
        other: The body by trafilatura.
        third: Returns a third opinion, which is slow; called only where the two differ.
    """
    if not own or not other:
        return own or other
    one, two = _shingles(own), _shingles(other)
    if _f1(one, two) >= AGREED:
        confirmed = letters(" ".join(block.text for block in other))
        sure = [at == 0 or len(block.text) >= SHORT or letters(block.text) in confirmed for at, block in enumerate(own)]
        return [block for at, block in enumerate(own) if sure[at] or _is_in_list(own, sure, at)]
    judge = _shingles(third())
    for_own, for_other = _f1(one, judge), _f1(two, judge)
    return own if for_own >= for_other and for_own >= RELATED else other


def _is_in_list(own: list[Block], sure: list[bool], at: int) -> bool:
    """Return whether a block is an item of a list of which the item before or after it is certain."""
    near = (n for n in (at - 1, at + 1) if 0 <= n < len(own))
    return own[at].kind == "li" and any(own[n].kind == "li" and sure[n] for n in near)


def _shingles(body: list[Block]) -> Counter[tuple[str, ...]]:
    words = _WORD.findall("\n".join(block.text for block in body).lower())
    return Counter(zip(*(words[n:] for n in range(_SHINGLE)), strict=False))


def _f1(one: Counter[tuple[str, ...]], other: Counter[tuple[str, ...]]) -> float:
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def by_trafilatura(html: str) -> list[Block]:
    """Return the body found by trafilatura, without its links."""
    from trafilatura import extract  # slow to import

    text = extract(html, include_comments=False, include_tables=False) or ""
    return [Block("p", tidy(line)) for line in text.split("\n") if tidy(line)]


def with_links(body: list[Block], html: str) -> list[Block]:
    """Return a body with the links that its paragraphs have on the page."""
    root = parse(html).body
    on_page = {letters(block.text): block for block in (blocks(root) if root is not None else [])}
    same = [on_page.get(letters(block.text), block) for block in body]
    return [replace(block, link_chars=own.link_chars, links=own.links) for block, own in zip(body, same, strict=True)]


def by_justext(html: str) -> list[Block]:
    """Return the paragraphs that jusText takes for the text of a page."""
    from justext import get_stoplist, justext  # slow to import

    return [Block("p", tidy(each.text)) for each in justext(html, get_stoplist("English")) if not each.is_boilerplate]


def linked_body(text: str) -> list[Block]:
    """Return the paragraphs of an articleBody of JSON-LD, which may contain markup."""
    lines = _TAG.sub("", _BLOCK_TAG.sub("\n", text)).split("\n")
    return [Block("p", tidy(line)) for line in lines if tidy(line)]
