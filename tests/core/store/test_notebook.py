"""A store in a notebook."""

from pathlib import Path

from conftest import MakeSection

from spacrd_core.store.entry import SectionKey
from spacrd_core.store.notebook import MAX_ROWS
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section


def test_an_empty_store_has_no_sections_and_is_a_store(tmp_path: Path) -> None:
    store = SpotStore.create(tmp_path / "<b>")
    assert (len(store), store.sections, bool(store)) == (0, [], True)
    assert store._repr_html_() == f"<p>Spot store <code>{tmp_path}/&lt;b&gt;</code>, 0 sections</p>"


def test_a_store_is_shown_as_a_table_of_its_sections(tmp_path: Path, make_section: MakeSection) -> None:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1, image=False), SectionKey("S1", "<i>", "one"))
    assert (len(store), store.sections) == (1, ["S1"])
    assert repr(store) == f"SpotStore('{tmp_path}/store'): 1 section"
    html = store._repr_html_()
    assert all(f"<td>{value}</td>" in html for value in ("S1", "&lt;i&gt;", "st", 144, 40, "no"))


def test_of_many_sections_the_first_are_shown(tmp_path: Path, make_section: MakeSection) -> None:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1, image=False), SectionKey("S000", "P", "one"))
    entry = store.entry("S000")
    copies = {f"S{number:03}": entry.model_copy(update={"id": f"S{number:03}"}) for number in range(MAX_ROWS + 7)}
    store.update(lambda manifest: manifest.model_copy(update={"sections": copies}))
    html = store._repr_html_()
    assert "S049" in html
    assert "S050" not in html
    assert html.endswith("<p>and 7 more</p>")
