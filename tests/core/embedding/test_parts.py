import pytest
from core.embedding.conftest import NewStore, StoredEmbeddings
from small_shards import ROWS, SECTIONS, SPOTS, embed_all, embeddings, start_embed

from spacrd_core.executors.parts import Part


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 12])
def test_parts_are_disjoint_and_together_are_all(parts: int) -> None:
    shares = [Part(number, parts).select(range(10)) for number in range(1, parts + 1)]
    assert sorted(item for share in shares for item in share) == list(range(10))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1.5/2", "1 / 2"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a part reads I/N"):
        Part.parse(text)


@pytest.mark.slow  # tests/faults has eight processes in one store
def test_parts_in_several_processes_at_once_leave_the_same_bytes_as_one(
    new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    runs = [start_embed(store, "--part", f"{number}/3") for number in (1, 2, 3)]
    output = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], output
    assert embeddings(store) == uninterrupted


@pytest.mark.slow
@pytest.mark.slow
def test_two_runs_of_the_same_work_share_it(new_store: NewStore, uninterrupted: StoredEmbeddings) -> None:
    store = new_store()
    runs = [start_embed(store, "--json", "-q") for _ in range(2)]
    output = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], output
    assert embeddings(store) == uninterrupted


@pytest.mark.slow
def test_parts_one_after_the_other_are_the_same_parts_whatever_is_published_already(
    new_store: NewStore, uninterrupted: StoredEmbeddings
) -> None:
    store = new_store()
    embed_all(store, sections=["S1"])
    shards = SPOTS // ROWS
    done = [embed_all(store, part=Part(number, 4)) for number in (1, 2, 3)]
    assert [report.patches // ROWS for report in done] == [
        len([shard for shard in range(number - 1, SECTIONS * shards, 4) if shard >= shards]) for number in (1, 2, 3)
    ]
    notes = [report.sections[1].note for report in done]
    assert notes == [f"{left} shards are left to other parts" for left in (7, 4, 2)]
    assert store.entry("S2").embeddings == {}
    last = embed_all(store, part=Part(4, 4))
    assert [item.note for item in last.sections] == ["done before", ""]
    assert embeddings(store) == uninterrupted
