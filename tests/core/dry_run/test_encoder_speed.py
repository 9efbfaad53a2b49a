from spacrd_core.dry_run.encoder_speed import embedding_time
from spacrd_core.embedding.settings import Settings


def test_workers_elsewhere_have_devices_that_are_not_known_here() -> None:
    time = embedding_time(10, "stain", {}, "any recipe", Settings(), elsewhere=True)
    assert time.seconds is None
    assert "scheduler" in time.basis


def test_no_patches_need_no_encoder() -> None:
    assert embedding_time(0, "no such encoder", {}, "", Settings()).seconds == 0
