from collections.abc import Callable
from pathlib import Path

import pytest

from spacrd_core.errors import InputError
from spacrd_core.results.files.genes_csv import write_genes_csv
from spacrd_core.results.result import SectionResult


def test_a_section_without_driving_genes_has_no_table(
    make_result: Callable[..., SectionResult], tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        write_genes_csv(make_result(side=4), tmp_path / "s.csv")
    assert "'S1' has no driving genes" in str(caught.value)
    assert caught.value.hint
    assert not (tmp_path / "s.csv").exists()
