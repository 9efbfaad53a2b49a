"""Upload a detector to the Hugging Face Hub: verified first, private by default, in one commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from huggingface_hub import CommitOperationAdd, HfApi, constants, get_token
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from spacrd_core._version import __version__
from spacrd_core.detector.address import DEFAULT_BRANCH, Address, Origin
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.files import CARD_FILE, DETECTOR_FILES
from spacrd_core.detector.model_card import model_card
from spacrd_core.detector.own_files import require_own_files
from spacrd_core.errors import DetectorError
from spacrd_core.hub.client import suppress_hub_output, timeout
from spacrd_core.hub.errors import HubRequest, translate_errors
from spacrd_core.replacement import read_whole

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.plugins import Registry


@dataclass(frozen=True)
class PushedDetector:
    """A pushed detector: its key, its commit, and the files of the commit."""

    key: str
    origin: Origin
    url: str
    private: bool
    files: tuple[str, ...]


def push(
    folder: Path,
    address: Address,
    *,
    heads: Registry[Any],
    private: bool = True,
    licence_allows: bool = False,
) -> PushedDetector:
    """Push the detector in a folder as one commit to a repository, which is created if it does not exist.

    Parameters
    ----------
    address
        Its revision is a branch, which is created if it does not exist.
    private
        The visibility of a new repository; an existing one must already have it.
    licence_allows
        Confirms that the encoder's licence, if it may cover the detector, was read and allows the push.

    Raises
    ------
    DetectorError
        If the detector is damaged, the licence of its encoder was not confirmed, or the Hub rejects it.
    """

    def read() -> tuple[Detector, dict[str, bytes]]:
        detector = Detector.load(folder, heads=heads, device=torch.device("cpu"))
        return detector, _contents(folder, detector)

    detector, contents = read_whole(folder, read)
    _require_branch(address)
    if not licence_allows:
        _require_unrestricted(detector.config)
    request = HubRequest("push", "detector", address.repo, address.revision)
    with translate_errors(request, DetectorError), suppress_hub_output(bars=False):
        _require_token()
        commit = _commit(address, contents, f"SpaCRD detector {detector.config.key}", private=private)
    origin = Origin(repository=address.repo, revision=address.revision, commit=commit)
    url = f"{constants.ENDPOINT}/{address.repo}/tree/{address.revision}"
    return PushedDetector(detector.config.key, origin, url, private, tuple(contents))


def _contents(folder: Path, detector: Detector) -> dict[str, bytes]:
    """Return the files of the detector, without any other files in the folder."""
    require_own_files(folder)
    contents = {name: (folder / name).read_bytes() for name in DETECTOR_FILES if (folder / name).is_file()}
    return {CARD_FILE: model_card(detector.config, detector.metrics).encode()} | contents


def _commit(address: Address, contents: dict[str, bytes], message: str, *, private: bool) -> str:
    api = HfApi(library_name="spacrd", library_version=__version__)
    _require_repository(api, address, private=private)
    if address.revision != DEFAULT_BRANCH:
        api.create_branch(address.repo, branch=address.revision, exist_ok=True)
    operations = [CommitOperationAdd(name, content) for name, content in contents.items()]
    try:
        commit = api.create_commit(address.repo, operations, commit_message=message, revision=address.revision)
    except ValueError as error:  # the Hub validates the card's metadata before the upload
        if "metadata" not in str(error):
            raise
        reason = " ".join(str(error).split())
        raise DetectorError(
            f"the Hub rejects the model card: {reason}", hint=f"delete {CARD_FILE}; push writes a new one"
        ) from error
    return str(commit.oid)


def _require_repository(api: HfApi, address: Address, *, private: bool) -> None:
    """Create the repository, or require that an existing one has this visibility: a push never changes it."""
    is_private = _is_private(api, address.repo)
    if is_private is None:
        api.create_repo(address.repo, private=private, exist_ok=True)
    elif is_private != private:
        state, flag = ("private", "--public") if is_private else ("public", "--private")
        raise DetectorError(
            f"repository {address.repo} is {state}, and {flag} does not change it",
            hint=f"add --{state}, choose another name, or change it at {constants.ENDPOINT}/{address.repo}/settings",
        )


def _is_private(api: HfApi, repo: str) -> bool | None:
    try:
        return bool(api.model_info(repo, timeout=timeout()).private)
    except GatedRepoError:
        raise
    except RepositoryNotFoundError:
        return None


def _require_branch(address: Address) -> None:
    if address.is_commit:
        raise DetectorError(
            f"'{address.revision}' is a commit, but a push needs a branch", hint="name a branch: --revision NAME"
        )


def _require_unrestricted(config: DetectorConfig) -> None:
    if config.restricted_by_licence and config.encoder:
        raise DetectorError(
            f"the detector was trained on embeddings from '{config.encoder.name}', and that encoder's licence "
            f"({config.licence}) may cover the detector: it may forbid redistribution or commercial use",
            hint="read the licence; if it allows this push, add --licence-allows",
        )


def _require_token() -> None:
    if get_token() is None:
        raise DetectorError(
            "a push needs a Hugging Face token, and there is none",
            hint="run `hf auth login` with a token that has write access, or set HF_TOKEN",
        )
