"""What may stand between a user and a file of the Hugging Face Hub: for each a sentence and a remedy."""

from __future__ import annotations

from dataclasses import dataclass

from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

# The HTTP library under the Hub's has changed more than once; the base of all its errors has kept this place.
TRANSPORT: type[Exception] = HfHubHTTPError.__bases__[0]

Told = tuple[str, str] | None


@dataclass(frozen=True)
class Asked:
    """What was asked of the Hub, and how long an answer might take."""

    repo: str
    revision: str
    patience_s: float

    @property
    def page(self) -> str:
        """Where a person looks it up."""
        return f"https://huggingface.co/{self.repo}"

    @property
    def missing(self) -> str:
        """That there is no copy on this machine either."""
        return f"and the weights of {self.repo} are not in the cache {constants.HF_HUB_CACHE}"

    @property
    def access(self) -> str:
        """What gated weights need besides."""
        return f" (if they are gated: request access at {self.page}, then `hf auth login`)"


def explain(error: BaseException, asked: Asked) -> tuple[str, str]:
    """Return what happened and what to do."""
    if isinstance(error, LocalEntryNotFoundError) and error.__cause__:  # the library's own, round the true one
        return explain(error.__cause__, asked)
    status: int | None = getattr(getattr(error, "response", None), "status_code", None)
    told = _gate(error, asked, status) or _absence(error, asked, status) or _refusal(asked, status)
    return told or _silence(error, asked) or _other(error, asked)


def _gate(error: BaseException, asked: Asked, status: int | None) -> Told:
    if not isinstance(error, GatedRepoError):
        return None
    gated = f"the weights of {asked.repo} are gated"
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
        return f"repository {asked.repo} does not exist or is private ({status})", f"look at {asked.page}"
    if isinstance(error, RevisionNotFoundError):
        return f"repository {asked.repo} has no revision '{asked.revision}'", f"look at {asked.page}/commits"
    return None


def _refusal(asked: Asked, status: int | None) -> Told:
    refused = f"the weights of {asked.repo} were refused"
    if status == 401:
        sentence = f"{refused}: the Hugging Face token is not valid (401)"
        return sentence, "`hf auth login` with a valid one, or unset HF_TOKEN"
    if status == 403:
        return f"{refused} to the Hugging Face token (403)", "use a token that may read them"
    if status == 429 or (status or 0) >= 500:
        return f"{constants.ENDPOINT} cannot serve {asked.repo} at the moment ({status})", "try again later"
    return None


def _silence(error: BaseException, asked: Asked) -> Told:
    kind = type(error).__name__
    if isinstance(error, OfflineModeIsEnabled):
        remedy = f"unset HF_HUB_OFFLINE, or `hf download {asked.repo}` where there is a network{asked.access}"
        return f"HF_HUB_OFFLINE forbids to ask the Hub, {asked.missing}", remedy
    if "Timeout" in kind:
        sentence = f"{constants.ENDPOINT} did not answer within {asked.patience_s:g} s, {asked.missing}"
        return sentence, f"check the connection, or set HF_HUB_ETAG_TIMEOUT to wait longer{asked.access}"
    if "Connect" in kind or "Proxy" in kind:
        sentence = f"{constants.ENDPOINT} cannot be reached ({_line(error)}), {asked.missing}"
        return sentence, f"check the connection{asked.access}"
    return None


def _other(error: BaseException, asked: Asked) -> tuple[str, str]:
    if isinstance(error, OSError) and error.errno is not None and error.filename:
        sentence = f"the weights of {asked.repo} could not be kept: {error.strerror}: {error.filename}"
        return sentence, "make room, or set HF_HOME to a folder that may be written"
    remedy = (
        "check HF_ENDPOINT and HTTPS_PROXY" if isinstance(error, ValueError) else f"try again or look at {asked.page}"
    )
    return f"the weights of {asked.repo} could not be downloaded: {_line(error)}", remedy


def _line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
