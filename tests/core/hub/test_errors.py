"""Errors of the Hub are translated to one sentence with a remedy, without secrets."""

import errno

import pytest

from spacrd_core.errors import DetectorError, WeightsError
from spacrd_core.hub.errors import HubRequest, translate_errors

DOWNLOAD = HubRequest("download", "weights", "lab/uni")
PUSH = HubRequest("push", "detector", "lab/breast")


def test_a_full_disk_names_the_file_and_the_remedy() -> None:
    with pytest.raises(WeightsError) as caught, translate_errors(DOWNLOAD, WeightsError):
        raise OSError(errno.ENOSPC, "No space left on device", "/cache/model.safetensors")
    message = "cannot download the weights from lab/uni: No space left on device: /cache/model.safetensors"
    assert str(caught.value) == message
    assert "HF_HOME" in caught.value.hint


def test_a_disk_that_fills_while_a_file_is_written_names_the_cache() -> None:
    full = "No space left on device"
    with pytest.raises(WeightsError, match=f"{full}: .*hub") as caught, translate_errors(DOWNLOAD, WeightsError):
        raise OSError(errno.ENOSPC, full)
    assert "HF_HOME" in caught.value.hint


def test_the_cause_of_a_wrapped_error_is_reported() -> None:
    with pytest.raises(WeightsError, match="did not respond within"), translate_errors(DOWNLOAD, WeightsError):
        raise RuntimeError("the library retried") from TimeoutError()


def test_an_error_of_spacrd_is_not_changed() -> None:
    error = WeightsError("the checksum differs", hint="download again")
    with pytest.raises(WeightsError) as caught, translate_errors(PUSH, DetectorError):
        raise error
    assert caught.value is error


def test_the_alternative_is_added_to_the_hint() -> None:
    with (
        pytest.raises(WeightsError) as caught,
        translate_errors(DOWNLOAD, WeightsError, alternative="--weights FILE"),
    ):
        raise TimeoutError
    assert caught.value.hint.endswith(", or --weights FILE")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:secret@proxy/path", "https://proxy/path"),
        ("https://host/file?X-Signature=secret", "https://host/file"),
    ],
)
def test_passwords_and_signatures_in_addresses_are_removed(url: str, expected: str) -> None:
    with pytest.raises(DetectorError) as caught, translate_errors(PUSH, DetectorError):
        raise ValueError(f"cannot use {url}")
    assert str(caught.value) == f"cannot push the detector to lab/breast: cannot use {expected}"


def test_a_push_does_not_mention_the_cache_or_gated_access() -> None:
    with pytest.raises(DetectorError) as caught, translate_errors(PUSH, DetectorError):
        raise ConnectionError("refused")
    assert "cache" not in str(caught.value)
    assert "gated" not in caught.value.hint
