"""Every error message and hint in the source, for one snapshot; `python -m messages` in tests/ writes it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from spacrd_core import errors

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = Path(__file__).with_name("snapshot.txt")
PACKAGES = ("spacrd_core", "spacrd_readers", "spacrd_encoders", "spacrd_fusion", "spacrd_cli")
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}


def snapshot() -> str:
    """Return all messages, by file and in the order of the source."""
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    sections = [(file.relative_to(ROOT).as_posix(), list(messages_in(file))) for file in files]
    return "\n".join(f"{name}\n{''.join(messages)}" for name, messages in sections if messages)


def messages_in(file: Path) -> Iterator[str]:
    """Yield the class, message and hint of every error that a file creates."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in ERRORS and call.args:
            hints = [text_of(keyword.value) for keyword in call.keywords if keyword.arg == "hint"]
            yield f"  {name}: {text_of(call.args[0])}\n" + "".join(f"    hint: {hint}\n" for hint in hints)


def text_of(node: ast.expr) -> str:
    """Return a string expression as its text, with the source of what is inserted in braces."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left) + text_of(node.right)
    inserted = node.value if isinstance(node, ast.FormattedValue) else node
    return f"{{{ast.unparse(inserted)}}}"
