"""The address of a detector on the Hugging Face Hub: ``hf://owner/name[@revision]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from spacrd_core.errors import DetectorError
from spacrd_core.files import Record

if TYPE_CHECKING:
    from pathlib import Path

SCHEME = "hf://"
DEFAULT_BRANCH = "main"
ADDRESS_HINT = "use hf://owner/name[@revision]"
_ADDRESS = re.compile(r"(?:hf://)?(?P<repo>[^/@\s]+/[^/@\s]+)(?:@(?P<revision>\w[\w./+-]*))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Address:
    """A repository and one of its revisions: a branch, a tag or a commit."""

    repo: str
    revision: str = DEFAULT_BRANCH

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address in a text; ``hf://`` is optional.

        Raises
        ------
        DetectorError
            If the text is not an address, or is the address of a dataset or a space.
        """
        other_kind = re.match(r"(?:hf://)?(datasets|spaces)/[^/]+/", text)
        if other_kind:
            raise DetectorError(
                f"'{text}' is in the Hub's {other_kind[1]}, but detectors are model repositories", hint=ADDRESS_HINT
            )
        match = _ADDRESS.fullmatch(text)
        if not match or ".." in text:
            raise DetectorError(f"'{text}' is not the address of a detector", hint=ADDRESS_HINT)
        return cls(match["repo"], match["revision"] or DEFAULT_BRANCH)

    @property
    def is_commit(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return bool(_COMMIT.fullmatch(self.revision))

    def __str__(self) -> str:
        return f"{SCHEME}{self.repo}" + (f"@{self.revision}" if self.revision != DEFAULT_BRANCH else "")


class Origin(Record):
    """The commit that a detector was downloaded from; a download of this commit gives the same bytes."""

    schema_version: Literal[1] = 1
    repository: str
    revision: str
    commit: str

    @property
    def address(self) -> str:
        """The address of the commit."""
        return str(Address(self.repository, self.commit))


@dataclass(frozen=True)
class LocalDetector:
    """The folder of a detector on this machine, and the commit it was downloaded from; None if it was trained here."""

    folder: Path
    origin: Origin | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """The name that people know the detector by: its repository on the Hub, or its folder."""
        return self.origin.repository if self.origin else self.folder.absolute().name

    @property
    def provenance(self) -> dict[str, str]:
        """The origin of the detector, for the provenance of its calls."""
        return {"fetched from": self.origin.address} if self.origin else {}


def is_address(text: str) -> bool:
    """Return whether a text is an address on the Hub rather than a folder."""
    return text.startswith(SCHEME)
