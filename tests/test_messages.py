"""Error messages are an interface: a change to any of them shows in one snapshot."""

import re
from pathlib import Path

from messages import SNAPSHOT, messages_in, snapshot


def test_every_message_is_that_of_the_snapshot() -> None:
    written = SNAPSHOT.read_text(encoding="utf-8")
    assert snapshot() == written, "read the change, then run `python -m messages` in tests/"


def test_the_snapshot_holds_class_message_and_hint(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("raise ConfigError(f'no {name}' + ' here', hint='name ' 'it')\nraise KeyError('other')\n")
    assert list(messages_in(file)) == ["  ConfigError: no {name} here\n    hint: name it\n"]


def test_messages_write_numbers_with_their_zero() -> None:
    assert not re.findall(r"(?<![\w.}\])])\.\d", SNAPSHOT.read_text(encoding="utf-8"))
