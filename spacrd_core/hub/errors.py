"""What may stand between a user and the Hugging Face Hub: for each obstacle a sentence and a remedy."""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from spacrd_core.errors import SpacrdError

if TYPE_CHECKING:
    from collections.abc import Iterator


# The HTTP library under the Hub's has changed more than once; the base of all its errors has kept this place.
TRANSPORT: type[Exception] = HfHubHTTPError.__bases__[0]

Told = tuple[str, str] | None


@dataclass(frozen=True)
class Asked:
    """What was asked of the Hub, and how long an answer might take."""

    repo: str
    revision: str
    patience_s: float
    errand: Errand

    @property
    def what(self) -> str:
        """What was to be fetched or pushed."""
        return f"{self.errand.what} {self.repo}"

    @property
    def page(self) -> str:
        """Where a person looks it up."""
        return f"https://huggingface.co/{self.repo}"

    @property
    def missing(self) -> str:
        """That there is no copy on this machine either."""
        where = f"not in the cache {constants.HF_HUB_CACHE}"
        return f", and {self.what} {self.errand.is_} {where}" if self.errand.fetches else ""

    @property
    def access(self) -> str:
        """What is needed besides if it is gated."""
        gated = f" (if {self.errand.it} {self.errand.is_} gated: request access at {self.page}, then `hf auth login`)"
        return gated if self.errand.fetches else ""


def explain(error: BaseException, asked: Asked) -> tuple[str, str]:
    """Return what happened and what to do."""
    if (
        isinstance(error, LocalEntryNotFoundError | RuntimeError) and error.__cause__
    ):  # the library's round the true one
        return explain(error.__cause__, asked)
    status = status_of(error)
    told = _gate(error, asked, status) or _absence(error, asked, status) or _refusal(asked, status)
    return told or _silence(error, asked) or _other(error, asked)


def status_of(error: BaseException) -> int | None:
    """Return what the Hub answered, if it did."""
    return getattr(getattr(error, "response", None), "status_code", None)


def out_of_reach(error: BaseException) -> bool:
    """Whether the Hub gave no answer, or one that says nothing of what was asked: a copy in the cache may serve."""
    kind = type(error).__name__
    silent = isinstance(error, OfflineModeIsEnabled) or any(word in kind for word in ("Timeout", "Connect", "Proxy"))
    return silent or _too_busy(status_of(error))


def _too_busy(status: int | None) -> bool:
    return status == 429 or (status or 0) >= 500


def _gate(error: BaseException, asked: Asked, status: int | None) -> Told:
    if not isinstance(error, GatedRepoError):
        return None
    gated = f"{asked.what} {asked.errand.is_} gated"
    if status == 403:
        sentence = f"{gated}, and the account of the Hugging Face token is not on its list (403)"
        return sentence, f"request access at {asked.page} and wait for it (the token must allow gated repositories)"
    if get_token() is None:
        sentence = f"{gated}, and there is no Hugging Face token ({status})"
        return sentence, f"request access at {asked.page}, then `hf auth login` or set HF_TOKEN"
    sentence = f"{gated}, and the Hugging Face token was not accepted ({status})"
    return sentence, f"`hf auth login` with a valid one, and request access at {asked.page}"


def _absence(error: BaseException, asked: Asked, status: int | None) -> Told:
    if isinstance(error, RepositoryNotFoundError):  # a GatedRepoError too, so that one is asked first
        login = "" if get_token() else "; if it is private, `hf auth login` or set HF_TOKEN"
        return f"repository {asked.repo} does not exist or is private ({status})", f"look at {asked.page}{login}"
    if isinstance(error, RevisionNotFoundError):
        return f"repository {asked.repo} has no revision '{asked.revision}'", f"look at {asked.page}/commits"
    return None


def _refusal(asked: Asked, status: int | None) -> Told:
    refused = f"{asked.what} {asked.errand.was} refused"
    if status == 401:
        sentence = f"{refused}: the Hugging Face token is not valid (401)"
        return sentence, "`hf auth login` with a valid one, or unset HF_TOKEN"
    if status == 403:
        return f"{refused} to the Hugging Face token (403)", f"use a token that may {asked.errand.right}"
    if _too_busy(status):
        return f"{constants.ENDPOINT} cannot serve {asked.repo} at the moment ({status})", "try again later"
    return None


def _silence(error: BaseException, asked: Asked) -> Told:
    kind = type(error).__name__
    if isinstance(error, OfflineModeIsEnabled):
        elsewhere = f", or `hf download {asked.repo}` where there is a network" if asked.errand.fetches else ""
        return f"HF_HUB_OFFLINE forbids to ask the Hub{asked.missing}", f"unset HF_HUB_OFFLINE{elsewhere}{asked.access}"
    if "Timeout" in kind:
        sentence = f"{constants.ENDPOINT} did not answer within {asked.patience_s:g} s{asked.missing}"
        return sentence, f"check the connection, or set HF_HUB_ETAG_TIMEOUT to wait longer{asked.access}"
    if "Connect" in kind or "Proxy" in kind:
        sentence = f"{constants.ENDPOINT} cannot be reached ({_line(error)}){asked.missing}"
        return sentence, f"check the connection{asked.access}"
    return None


def _other(error: BaseException, asked: Asked) -> tuple[str, str]:
    if isinstance(error, OSError) and error.errno is not None and error.filename:
        sentence = f"{asked.what} could not be kept: {error.strerror}: {error.filename}"
        return sentence, "make room, or set HF_HOME to a folder that may be written"
    elsewhere = isinstance(error, ValueError) and status_of(error) is None
    remedy = "check HF_ENDPOINT and HTTPS_PROXY" if elsewhere else f"try again or look at {asked.page}"
    return f"{asked.what} could not be {asked.errand.done}: {_line(error)}", remedy


def _line(error: BaseException) -> str:
    status = status_of(error)
    told = getattr(error, "server_message", None) or str(error).strip()
    line = next(iter(told.splitlines()), type(error).__name__)
    return f"{line.rstrip(':')} ({status})" if status else line


# How long a first answer may take. The library alone would ask again and again, for half a minute or for minutes.
PATIENCE_S = 5.0


def patience() -> float:
    """Return how many seconds a first answer may take; ``HF_HUB_ETAG_TIMEOUT`` says otherwise."""
    told = constants.HF_HUB_ETAG_TIMEOUT
    return PATIENCE_S if told == constants.DEFAULT_ETAG_TIMEOUT else float(told)


@contextmanager
def explained(
    errand: Errand, repo: str, revision: str, refuse: type[SpacrdError], *, otherwise: str = ""
) -> Iterator[None]:
    """Turn what goes wrong with a repository into an error of our own with the remedy, or another way out."""
    otherwise = otherwise and f", or {otherwise}"
    try:
        yield
    except SpacrdError:
        raise
    except HFValidationError as error:
        raise nameless(repo, refuse) from error
    except UnicodeError:  # whose text shows a part of the token
        raise refuse(
            "the Hub cannot be asked: the Hugging Face token or an address has a character that is not ASCII",
            hint=f"`hf auth login` again, look at HF_TOKEN, HF_ENDPOINT and HTTPS_PROXY{otherwise}",
        ) from None
    except (OSError, ValueError, RuntimeError, TRANSPORT) as error:
        sentence, remedy = explain(error, Asked(repo, revision, patience(), errand))
        raise refuse(_discreet(sentence), hint=f"{_discreet(remedy)}{otherwise}") from error


def nameless(repo: str, refuse: type[SpacrdError]) -> SpacrdError:
    """Return the error of a name that cannot be a repository's."""
    return refuse(
        f"'{repo}' names no repository of the Hub", hint="a repository reads owner/name, as in MahmoodLab/UNI"
    )


@contextmanager
def quietly(*, bars: bool = True) -> Iterator[None]:
    """Keep the library's own retries and warnings off the user's screen, and its bars on request."""
    logger = logging.getLogger("huggingface_hub")
    level, hide = logger.level, not (bars or are_progress_bars_disabled())
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if hide:
                disable_progress_bars()
            yield
        finally:
            logger.setLevel(level)
            if hide:
                enable_progress_bars()


def _discreet(text: str) -> str:
    """Return text without the names, passwords and signatures that addresses may carry."""
    return re.sub(r"(https?://[^\s?]*)\?[^\s'\")]*", r"\1", re.sub(r"://[^/\s]*@", "://", text))


@dataclass(frozen=True)
class Errand:
    """Fetching or pushing something: what it is called, and the words that agree with it.

    Parameters
    ----------
    what
        Stands before the repository's name.
    is_, was, it
        Agree with ``what``.
    right
        What the token must be allowed to do.
    done
        Of something that was not to be had: it could not be ``done``.
    fetches
        Whether a copy in the cache would have done.
    """

    what: str
    is_: str
    was: str
    it: str
    right: str
    done: str
    fetches: bool = True


WEIGHTS = Errand("the weights of", "are", "were", "they", "read them", "downloaded")
DETECTOR = Errand("the detector", "is", "was", "it", "read it", "downloaded")
PUSH = Errand("the detector", "is", "was", "it", "write there", "pushed", fetches=False)
