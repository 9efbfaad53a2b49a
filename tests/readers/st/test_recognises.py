from pathlib import Path
from typing import Any

import pytest

from spacrd_core.errors import ConfigError
from spacrd_core.plugins import Plugins
from spacrd_readers.st.reader import St


def test_the_reader_recognises_its_files_and_gives_the_reason(st: Any, tmp_path: Path) -> None:
    reader, counts = St(St.Options()), st.write()
    assert reader.recognises(counts)
    assert reader.recognises(counts.parent)
    (tmp_path / "page.tsv").write_text("<html></html>")
    (tmp_path / "words.tsv").write_text("a\tb\nc\td\n")
    (tmp_path / "mine.tsv").write_text("id\tlabel\n10x13\t1\n")
    for path, reason in {
        tmp_path / "ST-spotfiles" / "T1_selection.tsv": "table of spots",
        tmp_path / "ST-spotfiles": "no ST counts table",
        tmp_path / "ST-imgs/T/T1/9769_HE_small.png": "does not end in",
        tmp_path / "page.tsv": "web page",
        tmp_path / "words.tsv": "spot names like 10x13",
        tmp_path / "mine.tsv": "spots or labels",
        tmp_path / "none.tsv": "does not exist",
    }.items():
        assert not reader.recognises(path)
        assert reason in reader.recognises(path).reason


def test_the_reader_comes_by_its_card(plugins: Plugins) -> None:
    assert isinstance(plugins.readers.create("st"), St)
    with pytest.raises(ConfigError, match="spot_um"):
        plugins.readers.create("st", {"spot_um": 1})
