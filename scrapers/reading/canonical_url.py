"""Determines the canonical URL of an article."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

from scrapers.fetching.url_guard import normal_url

# Parameters of shared links, in addition to the tracking parameters that normal_url() removes.
_SHARED_LINK = re.compile(
    r"(pk_.*|mtm_.*|mc_.*|hsa_.*|at_.*|_hs.*|ns_.*|ncid|icid|mod|partner|ref|ref_src|ref_url|referrer|sr_share|share|"
    r"sharetype|smtyp|smartnews|via|spm|trk|ito|amp|outputtype|__twitter_impression|campaign_id|instance_id|segment_id|"
    r"regi_id|taid|fromrss|feature|rss|igsh)"
)
_AMP_TAIL = re.compile(r"(?:/amp/?|\.amp(?:\.html)?|/amp\.html|\.amp\.htm)$", re.I)
_MOBILE_HOST = re.compile(r"^(?:m|mobile|amp)\.", re.I)


def tidy_address(url: str, base: str = "") -> str:
    """Return a URL in normal form, "" if it is not an http(s) URL.

    The URL is joined to `base`; the host is in lower case; fragment, default port and tracking parameters are removed;
    AMP and mobile versions are mapped to the ordinary page. Other parameters (?id=7) keep their order.
    """
    try:
        parts = urlsplit(normal_url(urljoin(base, url.strip()) if base else url))
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    netloc = parts.netloc.rpartition("@")[2]
    if host.count(".") > 1:
        netloc = _MOBILE_HOST.sub("www.", netloc)
    kept = [part for part in parts.query.split("&") if not _SHARED_LINK.fullmatch(part.partition("=")[0].lower())]
    path = _AMP_TAIL.sub("", parts.path) or "/"
    if path != parts.path and (extension := re.search(r"\.html?$", parts.path)):
        path += extension.group() if ".amp" in parts.path[-9:] else ""
    return urlunsplit((parts.scheme, netloc, path, "&".join(kept), ""))


def site_of(url: str) -> str:
    """Return the registrable domain of a URL, approximately: the last two labels, or three as under .co.uk."""
    labels = (urlsplit(url).hostname or "").lower().rstrip(".").split(".")
    keep = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[-keep:])


def canonical_address(final_url: str, claimed: list[str], hosts: tuple[str, ...] = ()) -> str:
    """Return the canonical URL of an article: the first claimed one on the same site, otherwise the page's own.

    Args:
        final_url: The URL of the page after redirects.
        claimed: The URLs in rel=canonical and og:url. Those of front pages are ignored, unless the page is one.
        hosts: Other hosts of the same publisher.
    """
    own = tidy_address(final_url)
    for claim in claimed:
        address = tidy_address(claim, final_url) if claim else ""
        if not address or not (site_of(address) == site_of(final_url) or urlsplit(address).netloc in hosts):
            continue
        if _is_front_page(address) and not _is_front_page(own):
            continue
        return address
    return own or final_url


def _is_front_page(address: str) -> bool:
    parts = urlsplit(address)
    return parts.path in {"", "/"} and not parts.query
