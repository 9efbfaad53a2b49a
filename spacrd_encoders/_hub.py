"""Weights from the Hugging Face Hub; whatever stands in the way is said in one sentence, with what to do.

The library reads ``HF_TOKEN``, ``HF_HOME``, ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` when it is imported. No token is
asked for, shown or stored here.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, HFValidationError

from spacrd_core.errors import WeightsError
from spacrd_encoders._obstacles import TRANSPORT, Asked, explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# How long a first answer may take. The library alone would ask again and again, for half a minute or for minutes.
PATIENCE_S = 5.0


def fetch(repo: str, files: Sequence[str], *, revision: str = "main", or_cached: Sequence[str] = ()) -> Path:
    """Return the first of some files that a repository of the Hub has.

    A file in the cache is taken without asking the Hub: of the revision, or of one of ``or_cached``.

    Raises
    ------
    WeightsError
        If they are gated, absent or out of reach.
    """
    owner, _, name = repo.partition("/")
    if not (owner and name):  # the Hub's library would ask for it
        raise _nameless(repo)
    with _explained(repo, revision):
        cached = _cached(repo, files, (revision, *or_cached))
        return cached or _download(repo, files, revision)


def _cached(repo: str, files: Sequence[str], revisions: Sequence[str]) -> Path | None:
    found = (try_to_load_from_cache(repo, file, revision=known) for known in revisions for file in files)
    return next((Path(path) for path in found if isinstance(path, str)), None)


def _download(repo: str, files: Sequence[str], revision: str) -> Path:
    for file in files:
        try:
            get_hf_file_metadata(hf_hub_url(repo, file, revision=revision), timeout=_patience())
        except EntryNotFoundError:
            continue
        with _quietly():
            return Path(hf_hub_download(repo, file, revision=revision))
    raise WeightsError(
        f"repository {repo} has no file {' or '.join(files)}",
        hint=f"look at https://huggingface.co/{repo}/tree/{revision}, or --weights FILE",
    )


def _patience() -> float:
    told = constants.HF_HUB_ETAG_TIMEOUT
    return PATIENCE_S if told == constants.DEFAULT_ETAG_TIMEOUT else float(told)


@contextmanager
def _explained(repo: str, revision: str) -> Iterator[None]:
    """Turn what goes wrong with a repository into a :class:`WeightsError` with the remedy."""
    try:
        yield
    except HFValidationError as error:
        raise _nameless(repo) from error
    except UnicodeError:  # whose text shows a part of the token
        raise WeightsError(
            "the Hub cannot be asked: the Hugging Face token or an address has a character that is not ASCII",
            hint="`hf auth login` again, look at HF_TOKEN, HF_ENDPOINT and HTTPS_PROXY, or --weights FILE",
        ) from None
    except (OSError, ValueError, TRANSPORT) as error:
        sentence, remedy = explain(error, Asked(repo, revision, _patience()))
        raise WeightsError(_discreet(sentence), hint=f"{_discreet(remedy)}, or --weights FILE") from error


def _nameless(repo: str) -> WeightsError:
    return WeightsError(
        f"'{repo}' names no repository of the Hub", hint="a repository reads owner/name, as in MahmoodLab/UNI"
    )


def _discreet(text: str) -> str:
    """Return text without the names and passwords that addresses may carry."""
    return re.sub(r"://[^/\s]*@", "://", text)


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
