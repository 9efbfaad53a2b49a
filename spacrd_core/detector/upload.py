"""A detector onto the Hugging Face Hub: looked over first, private unless said otherwise, in one commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from huggingface_hub import CommitOperationAdd, HfApi, constants, get_token
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from spacrd_core._version import __version__
from spacrd_core.detector.address import MAIN, Address, Origin
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.files import CARD, FILES
from spacrd_core.detector.model_card import model_card
from spacrd_core.errors import DetectorError
from spacrd_core.hub.errors import PUSH, explained, patience, quietly

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.plugins import Registry


@dataclass(frozen=True)
class Pushed:
    """Where a detector went."""

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
) -> Pushed:
    """Publish the detector in a folder as one commit of a repository, which is made if there is none.

    Parameters
    ----------
    address
        Its revision is a branch, which is made too.
    private
        What a new repository shall be; one that is there already must be it.
    licence_allows
        Said by somebody who has read the encoder's licence, where it reaches the detector.

    Raises
    ------
    DetectorError
        If the detector is damaged, its encoder's licence stands against it, or the Hub does not take it.
    """
    detector = Detector.load(folder, heads=heads, device=torch.device("cpu"))
    _require_branch(address)
    if not licence_allows:
        _require_free(detector.config)
    contents = _contents(folder, detector)
    with explained(PUSH, address.repo, address.revision, DetectorError), quietly(bars=False):
        _require_token()
        commit = _commit(address, contents, f"SpaCRD detector {detector.config.key}", private=private)
    origin = Origin(repository=address.repo, revision=address.revision, commit=commit)
    url = f"{constants.ENDPOINT}/{address.repo}/tree/{address.revision}"
    return Pushed(detector.config.key, origin, url, private, tuple(contents))


def _contents(folder: Path, detector: Detector) -> dict[str, bytes]:
    """What is pushed: the files of a detector and nothing else that may lie beside them."""
    contents = {name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}
    return {CARD: model_card(detector.config, detector.metrics).encode()} | contents


def _commit(address: Address, contents: dict[str, bytes], message: str, *, private: bool) -> str:
    api = HfApi(library_name="spacrd", library_version=__version__)
    _require_repository(api, address, private=private)
    if address.revision != MAIN:
        api.create_branch(address.repo, branch=address.revision, exist_ok=True)
    operations = [CommitOperationAdd(name, content) for name, content in contents.items()]
    try:
        done = api.create_commit(address.repo, operations, commit_message=message, revision=address.revision)
    except ValueError as error:  # the Hub looks at the card's metadata before it takes anything
        if "metadata" not in str(error):
            raise
        told = " ".join(str(error).split())
        raise DetectorError(
            f"the Hub does not take the model card: {told}", hint=f"delete {CARD}: it is written anew"
        ) from error
    return str(done.oid)


def _require_repository(api: HfApi, address: Address, *, private: bool) -> None:
    """Make the repository, or see that the one there is as open as is wanted: a push opens and closes nothing."""
    found = _is_private(api, address.repo)
    if found is None:
        api.create_repo(address.repo, private=private, exist_ok=True)
    elif found != private:
        state, flag = ("private", "--public") if found else ("public", "--private")
        raise DetectorError(
            f"repository {address.repo} is {state}, and {flag} changes nothing of it",
            hint=f"add --{state}, take another name, or change it at {constants.ENDPOINT}/{address.repo}/settings",
        )


def _is_private(api: HfApi, repo: str) -> bool | None:
    try:
        return bool(api.model_info(repo, timeout=patience()).private)
    except GatedRepoError:
        raise
    except RepositoryNotFoundError:
        return None


def _require_branch(address: Address) -> None:
    if address.is_commit:
        raise DetectorError(
            f"'{address.revision}' is a commit, and a push makes a new one", hint="name a branch: --revision NAME"
        )


def _require_free(config: DetectorConfig) -> None:
    if config.bound_by_licence and config.encoder:
        raise DetectorError(
            f"the detector was trained on what '{config.encoder.name}' says of images, and that encoder's licence "
            f"({config.licence}) may reach it: it may forbid to hand the detector on, or to use it commercially",
            hint="read the licence; if it allows what you are about to do, push with --licence-allows",
        )


def _require_token() -> None:
    if get_token() is None:
        raise DetectorError(
            "to push, the Hub must know who you are, and there is no Hugging Face token",
            hint="`hf auth login` with a token that may write, or set HF_TOKEN",
        )
