"""Where a detector lies on the Hugging Face Hub: ``hf://owner/name[@revision]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Self

from spacrd_core.errors import DetectorError
from spacrd_core.files import Record

SCHEME = "hf://"
MAIN = "main"
HINT = "a detector of the Hub reads hf://owner/name[@revision]"
_WRITTEN = re.compile(r"(?:hf://)?(?P<repo>[^/@\s]+/[^/@\s]+)(?:@(?P<revision>\w[\w./+-]*))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Address:
    """A repository and one of its revisions: a branch, a tag or a commit."""

    repo: str
    revision: str = MAIN

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the address in a text, which may leave ``hf://`` out.

        Raises
        ------
        DetectorError
            If it is none, or of a repository that is no model's.
        """
        kind = re.match(r"(?:hf://)?(datasets|spaces)/[^/]+/", text)
        if kind:
            raise DetectorError(
                f"'{text}' is one of the Hub's {kind[1]}, and detectors lie among its models", hint=HINT
            )
        found = _WRITTEN.fullmatch(text)
        if not found or ".." in text:
            raise DetectorError(f"'{text}' is no address of a detector", hint=HINT)
        return cls(found["repo"], found["revision"] or MAIN)

    @property
    def is_commit(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return bool(_COMMIT.fullmatch(self.revision))

    def __str__(self) -> str:
        return f"{SCHEME}{self.repo}" + (f"@{self.revision}" if self.revision != MAIN else "")


class Origin(Record):
    """Where a detector came from: what repeats the download, byte for byte."""

    schema_version: Literal[1] = 1
    repository: str
    revision: str
    commit: str

    @property
    def address(self) -> str:
        """The address of this very commit."""
        return str(Address(self.repository, self.commit))


def is_address(text: str) -> bool:
    """Whether a text speaks of the Hub, rather than of a folder."""
    return text.startswith(SCHEME)
