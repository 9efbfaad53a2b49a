from pathlib import Path

from spacrd_core.dry_run.plan import Duration, Space


def test_the_time_of_several_pieces_is_their_sum_with_every_basis_once() -> None:
    total = Duration.total(
        [Duration(2.0, "measured"), Duration(3.0, "measured"), Duration(1.0, "timed"), Duration(0.0, "")]
    )
    assert total == Duration(6.0, "measured; timed")


def test_the_time_is_unknown_if_that_of_one_piece_is() -> None:
    assert Duration.total([Duration(2.0, "measured"), Duration(None, "no speed")]) == Duration(None, "no speed")


def test_no_work_takes_no_time() -> None:
    assert Duration.total([]) == Duration(0.0, "nothing is left to do")


def test_the_free_space_of_a_folder_that_does_not_exist_is_that_of_its_disk(tmp_path: Path) -> None:
    space = Space.below(tmp_path / "new" / "store", 10.4)
    assert space.bytes == 10
    assert space.free_bytes > 0
    assert not (tmp_path / "new").exists()
