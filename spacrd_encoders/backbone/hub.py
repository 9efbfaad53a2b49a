"""Weights from the Hugging Face Hub; whatever stands in the way is said in one sentence, with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError

from spacrd_core.errors import WeightsError
from spacrd_core.hub.errors import WEIGHTS, explained, nameless, patience, quietly

if TYPE_CHECKING:
    from collections.abc import Sequence


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
        raise nameless(repo, WeightsError)
    with explained(WEIGHTS, repo, revision, WeightsError, otherwise="--weights FILE"):
        cached = _cached(repo, files, (revision, *or_cached))
        return cached or _download(repo, files, revision)


def _cached(repo: str, files: Sequence[str], revisions: Sequence[str]) -> Path | None:
    found = (try_to_load_from_cache(repo, file, revision=known) for known in revisions for file in files)
    return next((Path(path) for path in found if isinstance(path, str)), None)


def _download(repo: str, files: Sequence[str], revision: str) -> Path:
    for file in files:
        try:
            get_hf_file_metadata(hf_hub_url(repo, file, revision=revision), timeout=patience())
        except EntryNotFoundError:
            continue
        with quietly():
            return Path(hf_hub_download(repo, file, revision=revision))
    raise WeightsError(
        f"repository {repo} has no file {' or '.join(files)}",
        hint=f"look at https://huggingface.co/{repo}/tree/{revision}, or --weights FILE",
    )
