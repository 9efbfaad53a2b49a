"""Encoder weights from the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError

from spacrd_core.errors import WeightsError
from spacrd_core.hub.client import suppress_hub_output, timeout
from spacrd_core.hub.errors import HubRequest, invalid_repo, translate_errors

if TYPE_CHECKING:
    from collections.abc import Sequence


def fetch(repo: str, files: Sequence[str], *, revision: str = "main", or_cached: Sequence[str] = ()) -> Path:
    """Return the first of some files that a repository of the Hub has.

    A cached file of the revision, or of a revision in ``or_cached``, is used without a request to the Hub.

    Raises
    ------
    WeightsError
        If the files are gated, missing or cannot be downloaded.
    """
    owner, _, name = repo.partition("/")
    if not (owner and name):  # the Hub's library would send a request for it
        raise invalid_repo(repo, WeightsError)
    request = HubRequest("download", "weights", repo, revision)
    with translate_errors(request, WeightsError, alternative="--weights FILE"):
        cached = _cached(repo, files, (revision, *or_cached))
        return cached or _download(repo, files, revision)


def _cached(repo: str, files: Sequence[str], revisions: Sequence[str]) -> Path | None:
    paths = (try_to_load_from_cache(repo, file, revision=revision) for revision in revisions for file in files)
    return next((Path(path) for path in paths if isinstance(path, str)), None)


def _download(repo: str, files: Sequence[str], revision: str) -> Path:
    for file in files:
        try:
            get_hf_file_metadata(hf_hub_url(repo, file, revision=revision), timeout=timeout())
        except EntryNotFoundError:
            continue
        with suppress_hub_output():
            return Path(hf_hub_download(repo, file, revision=revision))
    raise WeightsError(
        f"repository {repo} has no file {' or '.join(files)}",
        hint=f"check https://huggingface.co/{repo}/tree/{revision}, or --weights FILE",
    )
