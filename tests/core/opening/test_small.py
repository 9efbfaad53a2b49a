"""Settings and records are read up to a size, so that a file that declares a terabyte takes no memory."""

from pathlib import Path

import pytest

from spacrd_core.errors import ConfigError
from spacrd_core.opening.small import read_small


def test_a_small_file_is_read_and_a_larger_one_is_refused_without_reading_it(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"a = 1")
    assert read_small(file) == b"a = 1"
    with file.open("r+b") as stream:
        stream.truncate(2**40)
    with pytest.raises(ConfigError, match=r"a\.toml is larger than 16 MiB, which no file of its kind is"):
        read_small(file, ConfigError)
