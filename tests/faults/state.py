"""What a folder holds, for comparison with another run: everything byte for byte.

Apart from these: the times that files record, and how many times embeddings were made again.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from spacrd_core.store.garbage import collect_garbage
from spacrd_core.store.store import SpotStore

TIME = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z| UTC)?")
TIMED_FACTS = re.compile(rb'"(sha256|bytes)": ("[0-9a-f]{64}"|\d+)')  # of files that record a time, in their manifest
NUMBER = re.compile(r"(embeddings/[^/\"]+/[0-9a-f]+-[0-9a-f]{8})-\d+")  # of embeddings made again: a rerun counts on
MANIFEST, STORE, DETECTOR = "manifest.json", "spacrd.json", "model.safetensors"
KEPT = re.compile(r".*/\.retired|[^/]+/spacrd\.lock")  # hidden files and locks that stay
MISSING = ""

State = dict[str, str]


def state_of(folder: Path) -> State:
    """Return the checksums of all files below a folder, by their paths; folders have the checksum of nothing."""
    return {
        NUMBER.sub(r"\1", path.relative_to(folder).as_posix()): _digest(path) if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


def without_garbage(folder: Path) -> State:
    """Return the same after the stores have been freed of what their manifests do not list."""
    for store in stores(folder):
        collect_garbage(store, grace_seconds=0)
    return state_of(folder)


def stores(folder: Path) -> list[SpotStore]:
    """Return the stores in a folder."""
    return [SpotStore(file.parent) for file in sorted(folder.glob(f"*/{STORE}"))]


def parts(state: State, name: str) -> set[str]:
    """Return the folders of a state that have a file of this name."""
    return {path.rpartition("/")[0] for path in state if path.endswith(f"/{name}")}


def below(state: State, folder: str) -> State:
    """Return what a state has below a folder."""
    return {path: digest for path, digest in state.items() if path.startswith(f"{folder}/")}


def litter(state: State) -> Iterator[str]:
    """Yield the paths that only a process at work may have: hidden ones, and locks."""
    for path in state:
        hidden = any(name.startswith(".") for name in path.split("/"))
        if (hidden or path.endswith(".lock") or path.startswith("tmp/")) and not KEPT.fullmatch(path):
            yield path


def mismatches(folder: Path) -> Iterator[str]:
    """Yield the files of results that are not those which their manifest lists."""
    for manifest in folder.glob(f"*/{MANIFEST}"):
        for record in json.loads(manifest.read_text())["files"]:
            file = manifest.parent / record["name"]
            if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != record["sha256"]:
                yield str(file.relative_to(folder))


def _digest(file: Path) -> str:
    content = TIME.sub(b"", file.read_bytes())
    if file.name == MANIFEST:
        content = TIMED_FACTS.sub(b"", content)
    if file.name == STORE:
        content = NUMBER.sub(r"\1", content.decode()).encode()
    return hashlib.sha256(content).hexdigest()
