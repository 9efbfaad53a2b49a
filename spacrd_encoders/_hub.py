"""Weights from the Hugging Face Hub; whatever stands in the way is said in one sentence, with what to do.

The library reads ``HF_TOKEN``, ``HF_HOME``, ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` when it is imported. No token is
asked for, shown or stored here.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from spacrd_core.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator

# The HTTP library under the Hub's has changed more than once; the base of all its errors has kept this place.
TRANSPORT: type[Exception] = HfHubHTTPError.__bases__[0]


def fetch(repo: str, file: str) -> Path:
    """Return a file of the Hub, from the cache where it is there.

    Raises
    ------
    WeightsError
        If it is gated, absent or out of reach.
    """
    with explained(repo), _quietly():
        return Path(hf_hub_download(repo, file))


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the library's own retries off the user's screen; what comes of them is said once."""
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def explained(repo: str) -> Iterator[None]:
    """Turn what goes wrong with a repository of the Hub into a :class:`WeightsError` with the remedy."""
    try:
        yield
    except (OSError, TRANSPORT) as error:
        sentence, remedy = _explain(repo, error)
        raise WeightsError(f"the weights {sentence}", hint=f"{remedy}, or --weights FILE") from error


def _explain(repo: str, error: Exception) -> tuple[str, str]:
    """Return what happened and what to do."""
    page, status = f"https://huggingface.co/{repo}", _status(error)
    if isinstance(error, GatedRepoError):  # a RepositoryNotFoundError too, so it is asked first
        return _explain_gate(repo, page, status)
    if isinstance(error, RepositoryNotFoundError):
        return f"repository {repo} does not exist or is private ({status})", f"look at {page}"
    if isinstance(error, LocalEntryNotFoundError):
        return _explain_absence(repo, page, error)
    if status == 401:
        return f"of {repo} were refused: the Hugging Face token is not valid (401)", "`hf auth login` with a valid one"
    return f"of {repo} could not be downloaded: {_line(error)}", f"try again or look at {page}"


def _explain_gate(repo: str, page: str, status: int | None) -> tuple[str, str]:
    if status == 403:
        sentence = f"of {repo} are gated, and the account of the Hugging Face token is not on its list (403)"
        return sentence, f"request access at {page} and wait for approval (the token must allow gated repositories)"
    sentence = f"of {repo} are gated, and no Hugging Face token was accepted ({status})"
    return sentence, f"request access at {page}, then `hf auth login` or set HF_TOKEN"


def _explain_absence(repo: str, page: str, error: Exception) -> tuple[str, str]:
    cause, place = error.__cause__, f"the cache {constants.HF_HUB_CACHE}"
    access = f"(if they are gated: request access at {page}, then `hf auth login`)"
    if isinstance(cause, OfflineModeIsEnabled) or constants.HF_HUB_OFFLINE:
        sentence = f"of {repo} are not in {place}, and HF_HUB_OFFLINE forbids to download them"
        return sentence, f"unset HF_HUB_OFFLINE {access}"
    if _status(cause) == 403:
        return f"of {repo} were refused to the Hugging Face token (403)", "use a token that may read them"
    sentence = f"of {repo} are not in {place}, and {constants.ENDPOINT} cannot be reached: {_line(cause or error)}"
    return sentence, f"check the connection {access}"


def _status(error: BaseException | None) -> int | None:
    status: int | None = getattr(getattr(error, "response", None), "status_code", None)
    return status


def _line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
