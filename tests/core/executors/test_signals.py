"""A signal that arrives while processes are started is handled when they have started."""

import signal
from collections.abc import Iterator
from threading import Thread
from types import FrameType

import pytest

from spacrd_core.executors.signals import starting_processes


class Ended(Exception):
    """What the handler of these tests raises."""


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    def receive(number: int, _: FrameType | None) -> None:
        raise Ended(number)

    old = signal.signal(signal.SIGTERM, receive)
    yield
    signal.signal(signal.SIGTERM, old)


def test_the_block_is_not_interrupted_and_what_it_waits_for_is_stopped() -> None:
    events = []
    with pytest.raises(Ended), starting_processes(lambda: events.append("stopped")):  # noqa: PT012 - the block goes on
        signal.raise_signal(signal.SIGTERM)
        events.append("went on")
    assert events == ["stopped", "went on"]


def test_the_signal_replaces_an_error_of_the_block() -> None:
    with pytest.raises(Ended), starting_processes():  # noqa: PT012 - as above
        signal.raise_signal(signal.SIGTERM)
        raise EOFError


def test_afterwards_signals_arrive_at_once() -> None:
    with starting_processes():
        pass
    with pytest.raises(Ended):
        signal.raise_signal(signal.SIGTERM)


def test_a_thread_starts_processes_without_touching_the_handlers() -> None:
    seen = []

    def start() -> None:
        with starting_processes():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = Thread(target=start)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
