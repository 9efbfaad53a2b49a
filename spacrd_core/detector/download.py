"""A detector of the Hugging Face Hub, in the Hub's cache: fetched by name, held against its seal, never run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

from spacrd_core.detector.address import Address, Origin
from spacrd_core.detector.config import read_detector_config
from spacrd_core.detector.files import CONFIG, FILES, FOR_PEOPLE, NEEDED, is_detector, trained_weights
from spacrd_core.errors import DetectorError
from spacrd_core.hub.errors import DETECTOR, TRANSPORT, explained, out_of_reach, patience, quietly
from spacrd_core.progress import silent

if TYPE_CHECKING:
    from spacrd_core.progress import Track

WANTED = f"a detector's repository holds {', '.join(NEEDED)}, as `spacrd push` writes them"


@dataclass(frozen=True)
class Found:
    """A detector's folder on this machine, and where it came from: None for one that was trained here."""

    folder: Path
    origin: Origin | None = None
    note: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """What belongs into the provenance of its calls."""
        return {"fetched from": self.origin.address} if self.origin else {}


def fetch(address: Address, *, track: Track = silent) -> Found:
    """Return a detector in the Hub's cache, downloaded as far as it is not there yet.

    A commit that is in the cache is taken without asking; a branch or a tag is asked for, and where the Hub is out of
    reach the copy that it led to last is taken, and the note says so.

    Raises
    ------
    DetectorError
        If the Hub has none there, will not give it or cannot be reached, or what it gave is damaged.
    """
    with explained(DETECTOR, address.repo, address.revision, DetectorError), quietly(bars=False):
        found = _cached(address)
        if not (found and address.is_commit):
            found = _ask(address, found) or _download(address, track)
    _require_sound(found, address)
    return found


def _cached(address: Address) -> Found | None:
    config = try_to_load_from_cache(address.repo, CONFIG, revision=address.revision)
    if not isinstance(config, str) or not all((Path(config).parent / name).is_file() for name in NEEDED):
        return None
    return _found(Path(config), address)


def _found(config: Path, address: Address) -> Found:
    folder = config.parent  # named after its commit
    return Found(folder, Origin(repository=address.repo, revision=address.revision, commit=folder.name))


def _ask(address: Address, held: Found | None) -> Found | None:
    """Return what is held if it is still the newest, or if the Hub is out of reach."""
    try:
        url = hf_hub_url(address.repo, CONFIG, revision=address.revision)
        newest = get_hf_file_metadata(url, timeout=patience()).commit_hash
    except EntryNotFoundError as error:
        raise _lacks(address, CONFIG) from error
    except RepositoryNotFoundError as error:  # one that is gated, too
        if not isinstance(error, GatedRepoError):
            _require_no_other_kind(address, error)
        raise
    except (OSError, TRANSPORT) as error:
        if not (held and out_of_reach(error)):
            raise
        note = f"the Hub cannot be asked for {address}: the copy in the cache is taken, commit {held.folder.name}"
        return replace(held, note=note)
    return held if held and held.folder.name == newest else None


def _download(address: Address, track: Track) -> Found:
    """Fetch the configuration first: of a repository that is no detector's, nothing else is taken."""
    found = _found(Path(hf_hub_download(address.repo, CONFIG, revision=address.revision)), address)
    if not is_detector(found.folder):
        raise DetectorError(
            f"repository {address.repo} holds no SpaCRD detector: its {CONFIG} is of something else", hint=WANTED
        )
    for name in track([name for name in FILES if name != CONFIG], f"fetching {address}"):
        _download_one(address, name, found.folder.name)
    return found


def _download_one(address: Address, name: str, commit: str) -> None:
    try:
        hf_hub_download(address.repo, name, revision=commit)
    except LocalEntryNotFoundError:  # out of reach; an EntryNotFoundError too
        raise
    except EntryNotFoundError as error:
        if name not in FOR_PEOPLE:
            raise _lacks(address, name) from error


def _lacks(address: Address, name: str) -> DetectorError:
    return DetectorError(f"repository {address.repo} holds no SpaCRD detector: it has no {name}", hint=WANTED)


def _require_no_other_kind(address: Address, absent: RepositoryNotFoundError) -> None:
    """Say so where there is a dataset or a space of that name."""
    for kind in ("dataset", "space"):
        try:
            HfApi().repo_info(address.repo, repo_type=kind, timeout=patience())
        except (OSError, TRANSPORT):
            continue
        sentence = f"{address.repo} is a {kind} of the Hub, and detectors lie among its models"
        raise DetectorError(sentence, hint=WANTED) from absent


def _require_sound(found: Found, address: Address) -> None:
    try:
        trained_weights(found.folder, read_detector_config(found.folder))
    except DetectorError as error:
        again = f"delete {found.folder.parents[1]} and try again; if that is no help, it must be pushed again"
        remedy = error.hint if "update" in error.hint else again
        raise DetectorError(f"the detector {address} is damaged: {error}", hint=remedy) from error
