"""Download a detector from the Hugging Face Hub to the Hub's cache and verify it. No code of a repository is run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

from spacrd_core.detector.address import Address, LocalDetector, Origin
from spacrd_core.detector.config import read_detector_config
from spacrd_core.detector.files import (
    CONFIG_FILE,
    DETECTOR_FILES,
    MAX_BYTES,
    OPTIONAL_FILES,
    REQUIRED_FILES,
    is_detector,
    verified_weights,
)
from spacrd_core.errors import DetectorError
from spacrd_core.hub.client import TRANSPORT_ERROR, suppress_hub_output, timeout
from spacrd_core.hub.errors import HubRequest, is_unreachable, translate_errors
from spacrd_core.progress import silent

if TYPE_CHECKING:
    from spacrd_core.progress import Track

EXPECTED_FILES_HINT = f"the repository of a detector contains {', '.join(REQUIRED_FILES)}, as `spacrd push` writes them"


def download_detector(address: Address, *, track: Track = silent) -> LocalDetector:
    """Return a detector in the Hub's cache; only missing files are downloaded.

    A cached commit is used without a request. The commit of a branch or tag is requested from the Hub; if the Hub
    cannot be reached, the cached copy is used and ``note`` reports it.

    Raises
    ------
    DetectorError
        If the detector is not on the Hub, cannot be downloaded, or is damaged.
    """
    request = HubRequest("download", "detector", address.repo, address.revision)
    with translate_errors(request, DetectorError), suppress_hub_output(bars=False):
        detector = _cached(address)
        if not (detector and address.is_commit):
            detector = _if_current(address, detector) or _download(address, track)
    _require_sound(detector, address)
    return detector


def _cached(address: Address) -> LocalDetector | None:
    config = try_to_load_from_cache(address.repo, CONFIG_FILE, revision=address.revision)
    if not isinstance(config, str) or not all((Path(config).parent / name).is_file() for name in REQUIRED_FILES):
        return None
    return _local(Path(config), address)


def _local(config: Path, address: Address) -> LocalDetector:
    folder = config.parent  # the cache names it by its commit
    origin = Origin(repository=address.repo, revision=address.revision, commit=folder.name)
    return LocalDetector(folder, origin)


def _if_current(address: Address, cached: LocalDetector | None) -> LocalDetector | None:
    """Return the cached detector if its commit is the latest, or if the Hub cannot be reached."""
    try:
        url = hf_hub_url(address.repo, CONFIG_FILE, revision=address.revision)
        found = get_hf_file_metadata(url, timeout=timeout())
    except EntryNotFoundError as error:
        raise _missing_file(address, CONFIG_FILE) from error
    except RepositoryNotFoundError as error:  # the base class of GatedRepoError
        if not isinstance(error, GatedRepoError):
            _require_no_other_kind(address, error)
        raise
    except (OSError, TRANSPORT_ERROR) as error:
        if not (cached and is_unreachable(error)):
            raise
        note = f"{address} cannot be looked up on the Hub: the cached copy is used, commit {cached.folder.name}"
        return replace(cached, note=note)
    _require_size(address, CONFIG_FILE, found.size)
    return cached if cached and cached.folder.name == found.commit_hash else None


def _download(address: Address, track: Track) -> LocalDetector:
    """Download the configuration first, and the other files only if it is the configuration of a detector."""
    detector = _local(Path(hf_hub_download(address.repo, CONFIG_FILE, revision=address.revision)), address)
    if not is_detector(detector.folder):
        raise DetectorError(
            f"repository {address.repo} contains no SpaCRD detector: its {CONFIG_FILE} is not that of a detector",
            hint=EXPECTED_FILES_HINT,
        )
    for name in track([name for name in DETECTOR_FILES if name != CONFIG_FILE], f"downloading {address}"):
        _download_file(address, name, detector.folder.name)
    return detector


def _download_file(address: Address, name: str, commit: str) -> None:
    try:
        url = hf_hub_url(address.repo, name, revision=commit)
        _require_size(address, name, get_hf_file_metadata(url, timeout=timeout()).size)
        hf_hub_download(address.repo, name, revision=commit)
    except LocalEntryNotFoundError:  # the Hub cannot be reached; this is a subclass of EntryNotFoundError
        raise
    except EntryNotFoundError as error:
        if name not in OPTIONAL_FILES:
            raise _missing_file(address, name) from error


def _require_size(address: Address, name: str, size: int | None) -> None:
    """Refuse a file that is larger than such a file of any detector, before it fills the disk."""
    limit = MAX_BYTES[name]
    if size and size > limit:
        raise DetectorError(
            f"{name} in repository {address.repo} has {size:,} bytes; a detector's has at most {limit:,}",
            hint=EXPECTED_FILES_HINT,
        )


def _missing_file(address: Address, name: str) -> DetectorError:
    sentence = f"repository {address.repo} contains no SpaCRD detector: it has no {name}"
    return DetectorError(sentence, hint=EXPECTED_FILES_HINT)


def _require_no_other_kind(address: Address, not_found: RepositoryNotFoundError) -> None:
    """Raise a specific error if there is a dataset or a space of that name."""
    for kind in ("dataset", "space"):
        try:
            HfApi().repo_info(address.repo, repo_type=kind, timeout=timeout())
        except (OSError, TRANSPORT_ERROR):
            continue
        sentence = f"{address.repo} is a {kind} on the Hub, but detectors are model repositories"
        raise DetectorError(sentence, hint=EXPECTED_FILES_HINT) from not_found


def _require_sound(detector: LocalDetector, address: Address) -> None:
    try:
        verified_weights(detector.folder, read_detector_config(detector.folder))
    except DetectorError as error:
        retry = f"delete {detector.folder.parents[1]} and try again; if that fails, the detector must be pushed again"
        remedy = error.hint if "update" in error.hint else retry
        raise DetectorError(f"the detector {address} is damaged: {error}", hint=remedy) from error
