"""TOML of unknown origin is parsed in a time that grows with its length."""

from pathlib import Path

import pytest

from spacrd_core.errors import ConfigError
from spacrd_core.opening.toml_text import MAX_DOTS, read_toml


def read(folder: Path, content: bytes) -> dict[str, object]:
    file = folder / "a.toml"
    file.write_bytes(content)
    return read_toml(file, ConfigError, hint="write it again")


def test_tables_are_read_with_a_byte_order_mark_and_with_dots_in_texts(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf[a]\nb.c = 1\n") == {"a": {"b": {"c": 1}}}
    text = "; ".join(["J. Clin. Oncol."] * MAX_DOTS)
    assert read(tmp_path, f'a = "{text}"\n'.encode()) == {"a": text}


@pytest.mark.parametrize("form", ["{} = 1", "[{}]", "a = {{{} = 1}}"])
def test_a_key_of_many_parts_is_refused(tmp_path: Path, form: str) -> None:
    key = ".".join(["a"] * (MAX_DOTS + 2))
    with pytest.raises(ConfigError, match=r"a\.toml is not TOML: a key has more than 100 dots") as refused:
        read(tmp_path, form.format(key).encode())
    assert refused.value.hint == "write it again"


@pytest.mark.parametrize("content", [b"a", b"\xff", b"a = " + b"[" * 100_000])
def test_what_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError, match="is not TOML"):
        read(tmp_path, content)
