"""Errors of the Hugging Face Hub as one sentence each: repository, cause and remedy. No token is ever shown."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from spacrd_core.errors import SpacrdError
from spacrd_core.hub.client import TRANSPORT_ERROR, timeout
from spacrd_core.system_errors import REMEDIES

if TYPE_CHECKING:
    from collections.abc import Iterator

Explanation = tuple[str, str]  # the cause and the remedy
LOG_IN = "run `hf auth login` or set HF_TOKEN"
LOG_IN_AGAIN = "run `hf auth login` with a valid token"


@dataclass(frozen=True)
class HubRequest:
    """A download or a push, as error messages describe it."""

    action: Literal["download", "push"]
    subject: Literal["weights", "detector"]
    repo: str
    revision: str = "main"

    @property
    def failure(self) -> str:
        """The beginning of every error message."""
        return f"cannot {self.action} the {self.subject} {'from' if self.downloads else 'to'} {self.repo}"

    @property
    def downloads(self) -> bool:
        """Whether a copy in the cache would serve as well."""
        return self.action == "download"

    @property
    def page(self) -> str:
        """The repository's page."""
        return f"https://huggingface.co/{self.repo}"

    @property
    def not_cached(self) -> str:
        """The addition that the cache has no copy either."""
        return f", and the cache {constants.HF_HUB_CACHE} has no copy" if self.downloads else ""

    @property
    def if_gated(self) -> str:
        """The addition to a remedy: what a gated repository needs as well."""
        gated = f" (a gated repository also needs access: request it at {self.page}, then run `hf auth login`)"
        return gated if self.downloads else ""


@contextmanager
def translate_errors(request: HubRequest, error_type: type[SpacrdError], *, alternative: str = "") -> Iterator[None]:
    """Raise every error of the Hub as ``error_type`` with a remedy; ``alternative`` is added to the remedy."""
    alternative = alternative and f", or {alternative}"
    try:
        yield
    except SpacrdError:
        raise
    except HFValidationError as error:
        raise invalid_repo(request.repo, error_type) from error
    except UnicodeError:  # its message contains a part of the token, so it is not chained
        raise error_type(
            f"{request.failure}: the Hugging Face token or an address contains a non-ASCII character",
            hint=f"run `hf auth login` again, check HF_TOKEN, HF_ENDPOINT and HTTPS_PROXY{alternative}",
        ) from None
    except (OSError, ValueError, RuntimeError, TRANSPORT_ERROR) as error:
        cause, remedy = translate_error(error, request)
        raise error_type(_redact(f"{request.failure}: {cause}"), hint=f"{_redact(remedy)}{alternative}") from error


def translate_error(error: BaseException, request: HubRequest) -> Explanation:
    """Return the cause and the remedy of an error."""
    wraps_the_cause = isinstance(error, LocalEntryNotFoundError | RuntimeError)
    if wraps_the_cause and error.__cause__:
        return translate_error(error.__cause__, request)
    status = status_of(error)
    return (
        _gated(error, request, status)
        or _not_found(error, request, status)
        or _rejected(request, status)
        or _unreachable(error, request)
        or _other(error, request)
    )


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of the Hub's response, if there was one."""
    return getattr(getattr(error, "response", None), "status_code", None)


def is_unreachable(error: BaseException) -> bool:
    """Return whether the Hub did not respond, or is overloaded: a copy in the cache may be used instead."""
    return _has_no_response(error) or _is_overloaded(status_of(error))


def invalid_repo(repo: str, error_type: type[SpacrdError]) -> SpacrdError:
    """Return the error of a name that cannot be a repository's."""
    return error_type(f"'{repo}' is not a repository name of the Hub", hint="use owner/name, such as MahmoodLab/UNI")


def _has_no_response(error: BaseException) -> bool:
    return isinstance(error, OfflineModeIsEnabled) or _is_named(error, "Timeout", "Connect", "Proxy")


def _is_named(error: BaseException, *words: str) -> bool:
    return any(word in type(error).__name__ for word in words)  # the HTTP library's classes cannot be imported


def _is_overloaded(status: int | None) -> bool:
    return status == 429 or (status or 0) >= 500


def _gated(error: BaseException, request: HubRequest, status: int | None) -> Explanation | None:
    if not isinstance(error, GatedRepoError):
        return None
    request_access = f"request access at {request.page}"
    if status == 403:
        cause = "the repository is gated, and the account of the Hugging Face token has no access (403)"
        return cause, f"{request_access} and wait for approval (the token must allow gated repositories)"
    if get_token() is None:
        cause = f"the repository is gated, and there is no Hugging Face token ({status})"
        return cause, f"{request_access}, then {LOG_IN}"
    cause = f"the repository is gated, and the Hugging Face token was rejected ({status})"
    return cause, f"{LOG_IN_AGAIN}, and {request_access}"


def _not_found(error: BaseException, request: HubRequest, status: int | None) -> Explanation | None:
    if isinstance(error, RepositoryNotFoundError):  # the base class of GatedRepoError, which is therefore tested first
        log_in = "" if get_token() else f"; if it is private, {LOG_IN}"
        return f"the repository does not exist or is private ({status})", f"check {request.page}{log_in}"
    if isinstance(error, RevisionNotFoundError):
        return f"the repository has no revision '{request.revision}'", f"check {request.page}/commits"
    return None


def _rejected(request: HubRequest, status: int | None) -> Explanation | None:
    if status == 401:
        return "the Hugging Face token is not valid (401)", f"{LOG_IN_AGAIN}, or unset HF_TOKEN"
    if status == 403:
        permission = "read" if request.downloads else "write"
        return f"the Hugging Face token has no {permission} access (403)", f"use a token with {permission} access"
    if _is_overloaded(status):
        return f"{constants.ENDPOINT} is not available at the moment ({status})", "try again later"
    return None


def _unreachable(error: BaseException, request: HubRequest) -> Explanation | None:
    if isinstance(error, OfflineModeIsEnabled):
        elsewhere = f", or run `hf download {request.repo}` on a machine with a network" if request.downloads else ""
        remedy = f"unset HF_HUB_OFFLINE{elsewhere}{request.if_gated}"
        return f"HF_HUB_OFFLINE is set{request.not_cached}", remedy
    if _is_named(error, "Timeout"):
        cause = f"{constants.ENDPOINT} did not respond within {timeout():g} s{request.not_cached}"
        return cause, f"check the connection, or set HF_HUB_ETAG_TIMEOUT to wait longer{request.if_gated}"
    if _is_named(error, "Connect", "Proxy"):
        cause = f"{constants.ENDPOINT} cannot be reached ({_first_line(error)}){request.not_cached}"
        return cause, f"check the connection{request.if_gated}"
    return None


def _other(error: BaseException, request: HubRequest) -> Explanation:
    if isinstance(error, OSError) and error.errno is not None and (error.filename or error.errno in REMEDIES):
        place = error.filename or constants.HF_HUB_CACHE
        return f"{error.strerror}: {place}", "free disk space, or set HF_HOME to a writable folder"
    is_setting = isinstance(error, ValueError) and status_of(error) is None
    remedy = "check HF_ENDPOINT and HTTPS_PROXY" if is_setting else f"try again, or check {request.page}"
    return _first_line(error), remedy


def _first_line(error: BaseException) -> str:
    """Return the first line of an error's message, with the HTTP status."""
    status = status_of(error)
    message = getattr(error, "server_message", None) or str(error).strip()
    line = next(iter(message.splitlines()), type(error).__name__)
    return f"{line.rstrip(':')} ({status})" if status else line


def _redact(text: str) -> str:
    """Return text without the user names, passwords and signatures that URLs may contain."""
    return re.sub(r"(https?://[^\s?]*)\?[^\s'\")]*", r"\1", re.sub(r"://[^/\s]*@", "://", text))
