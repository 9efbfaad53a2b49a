"""Gene lists: those of carcinoma, and a user's own file."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from spacrd_core.errors import ConfigError, MissingFile
from spacrd_core.genes.names import current_symbol, human_names
from spacrd_core.prior.lists import GeneLists, carcinoma, load_gene_lists

OWN = """
name = "thyroid"
tissue = "carcinoma of the thyroid"
epithelial = "epithelium"
upkeep = "upkeep"
references = ["made"]
positive.epithelium = ["EPCAM", "TG"]
positive.upkeep = ["GAPDH"]
negative.stroma = ["COL1A1"]
"""
CARCINOMA = files("spacrd_core.prior") / "carcinoma.toml"


def genes(lists: GeneLists) -> list[str]:
    return [gene for names in (lists.positive | lists.negative).values() for gene in names]


def written(folder: Path, text: str) -> str:
    file = folder / "lists.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_gene_lists(written(folder, text))
    assert "carcinoma.toml" in caught.value.hint
    return str(caught.value)


def test_the_lists_of_carcinoma_are_part_of_the_package() -> None:
    lists = load_gene_lists("carcinoma")
    assert lists == GeneLists.model_validate(tomllib.loads(CARCINOMA.read_text(encoding="utf-8")))
    assert set(lists.positive) == {"epithelium", "proliferation", "biosynthesis"}
    assert set(lists.negative) == {"immune", "stroma", "fat", "endothelium"}


def test_their_genes_have_current_symbols_and_occur_once() -> None:
    symbols = set(human_names().by_id.values())
    listed = genes(carcinoma())
    assert [gene for gene in listed if gene not in symbols or current_symbol(gene) != gene] == []
    assert len(set(listed)) == len(listed)


def test_a_file_of_ones_own_gives_its_lists(tmp_path: Path) -> None:
    lists = load_gene_lists(written(tmp_path, "\ufeff" + OWN))
    assert (lists.name, lists.species) == ("thyroid", "human")
    assert genes(lists) == ["EPCAM", "TG", "GAPDH", "COL1A1"]


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    wrong = OWN.replace('tissue = "carcinoma of the thyroid"', "weight = 2").replace('"thyroid"', '"Thyroid cancer"')
    message = refusal(tmp_path, wrong.replace('["made"]', "[]"))
    assert "lists.toml" in message
    assert "missing setting 'tissue'" in message
    assert "unknown setting 'weight'" in message
    assert "name: " in message
    assert "references: " in message


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('["COL1A1"]', '["COL1A1", "EPCAM"]', "genes on positive and negative lists: EPCAM"),
        ('epithelial = "epithelium"', 'epithelial = "glands"', "no positive list is named glands"),
        ('upkeep = "upkeep"', 'upkeep = "stroma"', "no positive list is named stroma"),
        ('["COL1A1"]', "[]", "lists without genes: stroma"),
    ],
    ids=["both sides", "no epithelial list", "upkeep is negative", "empty"],
)
def test_lists_that_contradict_themselves_are_refused(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    assert sentence in refusal(tmp_path, OWN.replace(old, new))


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    assert "is not TOML" in refusal(tmp_path, "epithelium: EPCAM")


def test_a_missing_file_is_named_and_the_choice_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"no gene lists at .*nothing\.toml") as caught:
        load_gene_lists(str(tmp_path / "nothing.toml"))
    assert "carcinoma or a TOML file" in caught.value.hint
