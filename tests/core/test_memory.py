"""Short memory is told as what it is, wherever it is short."""

from spacrd_cli.terminal.errors import describe_error
from spacrd_core.errors import WorkerError
from spacrd_core.executors.task import Worker, attempt

NUMPY = "Unable to allocate 13.6 TiB for an array with shape (1000000000000,) and data type |S15"


class Greedy:
    """A task that needs more memory than there is."""

    def run(self, worker: Worker) -> None:
        raise MemoryError(NUMPY)


def test_memory_that_is_not_enough_is_no_bug() -> None:
    text, code = describe_error(MemoryError(NUMPY))
    assert text.startswith(f"error: there is not enough memory: {NUMPY}\nhint: use a machine with more memory")
    assert "bug" not in text
    assert code == 1


def test_an_allocation_without_a_text_has_a_sentence() -> None:
    assert describe_error(MemoryError())[0].startswith("error: there is not enough memory: an allocation failed\n")


def test_a_task_that_needs_too_much_says_so() -> None:
    outcome = attempt(Greedy(), Worker())
    assert isinstance(outcome.error, WorkerError)
    assert str(outcome.error) == f"there is not enough memory: {NUMPY}"
