"""Links in copies of runs: some tools keep them as text files with the target, and copied links may lead nowhere."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from spacrd_core.errors import MissingFile

MAX_LINK_BYTES = 1024
COPY_FILES = "copy the run with the files that its links lead to (rsync -L, cp -rL)"


def follow_link(path: Path) -> Path:
    """Return a path, or where it leads if it is a link that was copied as text and whose target exists."""
    target = _text_target(path)
    return target if target and target.exists() else path


def broken_link(path: Path) -> str:
    """Return why a path leads nowhere, as a sentence; '' if it is not a broken link."""
    if path.is_symlink() and not path.exists():
        return f"{path} is a link to {path.readlink()}, which does not exist"
    target = _text_target(path)
    if target and not target.exists():
        return f"{path} is a link that was copied as text; {target}, to which it leads, does not exist"
    return ""


def require_target(path: Path) -> Path:
    """Return where a path leads.

    Raises
    ------
    MissingFile
        If it is a link to a file that does not exist.
    """
    if reason := broken_link(path):
        raise MissingFile(reason, hint=COPY_FILES)
    return follow_link(path)


def _text_target(path: Path) -> Path | None:
    """Return the target in a file that holds nothing but the path of a file of the same kind, or None."""
    if not path.is_file() or not 0 < path.stat().st_size <= MAX_LINK_BYTES:
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return None
    target = PurePosixPath(lines[0].strip().replace("\\", "/")) if len(lines) == 1 else PurePosixPath()
    is_path = len(target.parts) > 1 and not lines[0].startswith(("{", "[", "<"))
    return Path(path.parent, target) if is_path and target.suffix == path.suffix else None
