"""Maps the errors of a download, and HTTP statuses, to outcomes."""

from __future__ import annotations

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError

from scrapers.fetching.content_type import header
from scrapers.items import Outcome

_NO_CONNECTION = (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    ResponseDataLossError,
)


class FetchEnded(IgnoreRequest):
    """A request ended without a usable response; carries its outcome, and the response if there was one."""

    def __init__(
        self,
        outcome: Outcome,
        detail: str,
        *,
        temporary: bool = False,
        retry_after: str = "",
        response: Response | None = None,
    ) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.temporary = temporary
        self.retry_after = retry_after
        self.response = response


def outcome_of(error: BaseException) -> FetchEnded:
    """Return the outcome that an exception of a download means."""
    if isinstance(error, FetchEnded):
        return error
    words = (" ".join(str(error).split()) or type(error).__name__)[:200]
    if isinstance(error, HttpError):
        return _of_status(error.response)
    if isinstance(error, DownloadTimeoutError):
        return FetchEnded(Outcome.TIMEOUT, "the response took too long")
    if isinstance(error, _NO_CONNECTION):
        return FetchEnded(Outcome.CONNECTION_FAILED, words)
    if isinstance(error, IgnoreRequest) and "redirections" in words:
        return FetchEnded(Outcome.BAD_REDIRECT, "too many redirects, or a loop of them")
    if isinstance(error, IgnoreRequest) and "DOWNLOAD_MAXSIZE" in words:
        return FetchEnded(Outcome.TOO_LARGE, "the decompressed response is too large")
    return FetchEnded(Outcome.UNREADABLE, f"{type(error).__name__}: {words}")


def _of_status(response: Response) -> FetchEnded:
    """Return the outcome of a status that is no success."""
    status, retry_after = response.status, ""
    detail = f"status {status}"
    if status in (429, 503):
        retry_after = header(response, "Retry-After")
    if status < 400:
        outcome, detail = Outcome.BAD_REDIRECT, f"{detail} without a valid target"
    elif status in (404, 410):
        outcome = Outcome.GONE
    elif status == 429 or retry_after:
        outcome = Outcome.RATE_LIMITED
    else:
        outcome = Outcome.SERVER_ERROR if status >= 500 or status in (408, 425) else Outcome.REFUSED
    return FetchEnded(outcome, detail, retry_after=retry_after, response=response)
