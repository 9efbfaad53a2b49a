"""What signals do to a command, in new processes: tests of whole commands are in tests/faults."""

import subprocess
import sys

import pytest

from spacrd_cli.interruption import INTERRUPTED

ADMIT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # the children of a background job would ignore it
"""
BEGIN = """
import os, signal, sys, time
from spacrd_cli import interruption as module
from spacrd_cli.interruption import Interruption
interruption = Interruption()
interruption.listen()
def send(number):
    os.kill(os.getpid(), number)
"""


def ends(code: str) -> tuple[int, str]:
    """The exit code and the output of Python code that has an interruption and a function to send signals."""
    process = subprocess.run(
        [sys.executable, "-c", ADMIT + BEGIN + code], capture_output=True, text=True, timeout=60, check=False
    )
    return process.returncode, process.stdout + process.stderr


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("SIGINT", 130, INTERRUPTED),
        ("SIGTERM", 143, f"SIGTERM: {INTERRUPTED}"),
        ("SIGHUP", 129, f"SIGHUP: {INTERRUPTED}"),
    ],
)
def test_a_signal_raises_once_and_has_its_exit_code_and_sentence(name: str, code: int, message: str) -> None:
    work = f"""
try:
    send(signal.{name})
    time.sleep(9)
except KeyboardInterrupt:
    send(signal.{name})  # passed on by `uv run`, say
    print(interruption.message)
    interruption.leave(interruption.finish(interruption.exit_code))
"""
    assert ends(work) == (code, f"{message}\n")


def test_after_the_work_a_signal_changes_nothing() -> None:
    assert ends("interruption.finish(0); send(signal.SIGTERM); print('done'); interruption.leave(0)") == (0, "done\n")


def test_a_signal_while_python_ends_changes_nothing() -> None:
    late = "import atexit; atexit.register(send, signal.SIGINT); interruption.leave(interruption.finish(0))"
    assert ends(late) == (0, "")


def test_a_second_signal_ends_at_once_though_the_work_is_stuck() -> None:
    stuck = """
module.SAME_S = 0
try:
    send(signal.SIGTERM)
    time.sleep(9)
except KeyboardInterrupt:
    send(signal.SIGTERM)
    time.sleep(9)
    print("not reached")
"""
    assert ends(stuck) == (143, f"SIGTERM: {INTERRUPTED}\n")


def test_work_that_does_not_end_is_ended_when_the_patience_ends() -> None:
    swallows = """
module.PATIENCE_S = 0.2
try:
    send(signal.SIGINT)
    time.sleep(9)
except BaseException:
    time.sleep(9)
    print("not reached")
"""
    assert ends(swallows) == (130, f"{INTERRUPTED}\n")


@pytest.mark.slow
def test_an_interruption_in_a_destructor_is_not_lost_and_not_shown() -> None:
    destructor = """
class Last:
    def __del__(self):
        send(signal.SIGINT)
        time.sleep(0.01)
try:
    Last()
    time.sleep(9)
except KeyboardInterrupt:
    print("interrupted")
"""
    assert ends(destructor) == (0, "interrupted\n")


def test_what_a_library_logs_and_a_thread_raises_after_a_signal_is_a_consequence_and_not_shown() -> None:
    consequences = """
import logging, threading
try:
    send(signal.SIGINT)
    time.sleep(9)
except KeyboardInterrupt:
    logging.getLogger("asyncio").error("Task exception was never retrieved")
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
"""
    assert ends(consequences) == (0, "")


def test_signals_that_a_process_was_told_to_ignore_stay_ignored() -> None:
    ignoring = """trap '' INT HUP; exec "$0" -c "$1" """  # as `nohup` does, and a shell for jobs in the background
    code = BEGIN + "send(signal.SIGINT); send(signal.SIGHUP); print('went on')"
    process = subprocess.run(
        ["/bin/sh", "-c", ignoring, sys.executable, code], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, "went on\n", "")
