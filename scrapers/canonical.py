"""A page's own address and what its markup says of it in; the one canonical address of the article out."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from courlan import clean_url

# Parameters that name the reader's way to the page, not the page: beside those that courlan takes off.
_TRACKING = re.compile(
    r"^(?:utm_\w+|at_\w+|mc_\w+|pk_\w+|mtm_\w+|ns_\w+|hsa_\w+|_hs\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|"
    r"twclid|igshid|igsh|cmpid|cmp|smid|smtyp|emc|ncid|ocid|icid|mod|partner|ref|ref_src|ref_url|referrer|sr_share|"
    r"share|sharetype|smartnews|guccounter|guce_\w+|via|xtor|spm|trk|ito|amp|outputtype|output|__twitter_impression|"
    r"campaign_id|instance_id|segment_id|user_id|regi_id|nl|te|taid|fromrss|feature|rss)$",
    re.I,
)
_AMP_TAIL = re.compile(r"(?:/amp/?|\.amp(?:\.html)?|/amp\.html|\.amp\.htm)$", re.I)
_MOBILE_HOST = re.compile(r"^(?:m|mobile|amp)\.", re.I)


def tidy_address(url: str, base: str = "") -> str:
    """Return an address in normal form, "" where it is no http(s) address.

    Joined to `base`, host in lower case, no fragment, no default port, no tracking parameters, AMP and mobile twins
    led back to the plain page. Parameters that name a page (?id=7) stay, in their order.
    """
    joined = urljoin(base, url.strip()) if base else url.strip()
    try:
        parts = urlsplit(clean_url(joined) or joined)
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    host = _MOBILE_HOST.sub("www.", host) if host.count(".") > 1 else host
    netloc = host if port in {None, 80, 443} else f"{host}:{port}"
    pairs = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(key)]
    path = _AMP_TAIL.sub("", parts.path) or "/"
    if path != parts.path and parts.path.endswith((".amp.html", ".amp.htm")):
        path += parts.path[parts.path.rindex(".") :]
    query = parts.query if len(pairs) == len(parse_qsl(parts.query, keep_blank_values=True)) else urlencode(pairs)
    return urlunsplit((parts.scheme, netloc, path, query, ""))


def site_of(url: str) -> str:
    """Return the registrable part of an address' host, roughly: its last two labels, three under .co.uk and its like."""
    labels = (urlsplit(url).hostname or "").lower().rstrip(".").split(".")
    keep = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[-keep:])


def canonical_address(final_url: str, claimed: list[str]) -> str:
    """Return the article's address: the first claimed one (rel=canonical, og:url) of the same site, or the page's own.

    A claim that points at the site's front page is no address of an article and is passed over, unless the page is it.
    """
    own = tidy_address(final_url)
    for claim in claimed:
        address = tidy_address(claim, final_url) if claim else ""
        if not address or site_of(address) != site_of(final_url):
            continue
        if urlsplit(address).path in {"", "/"} and not urlsplit(address).query and urlsplit(own).path not in {"", "/"}:
            continue
        return address
    return own or final_url
