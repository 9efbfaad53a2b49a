"""Workers on CPUs are forked from a process that has loaded what this one has loaded."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from environment_task import Variable

from spacrd_core.executors.fork_server import IS_SAFE, worker_context
from spacrd_core.executors.processes import Processes
from spacrd_core.executors.run import results, run_in_order
from spacrd_core.staging import remove_abandoned


@pytest.mark.skipif(not IS_SAFE, reason="workers are forked on Linux only")
def test_workers_of_all_pools_come_from_one_server_and_have_the_environment_of_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers, workers = set(), set()
    for value in ("one", "two"):
        monkeypatch.setenv("SPACRD_TEST_VALUE", value)
        ((read, worker, server),) = results(
            run_in_order(Processes(1), [Variable("SPACRD_TEST_VALUE")], "", device="cpu")
        )
        assert read == value
        servers.add(server)
        workers.add(worker)
    assert len(servers) == 1
    assert len(workers) == 2
    assert os.getpid() not in servers


def test_workers_with_other_devices_are_new_processes() -> None:
    assert worker_context(["cuda:0"]).get_start_method() == "spawn"


def test_the_server_can_be_started_before_anything_heavy_is_loaded() -> None:
    code = "import sys, spacrd_core.executors.fork_server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "pandas"} & {*done.stdout.split()}


def test_without_a_path_for_its_socket_workers_are_new_processes(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    code = "from spacrd_core.executors.fork_server import worker_context as c; print(c(['cpu']).get_start_method())"
    environment = os.environ | {"TMPDIR": str(folder)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "spawn\n"


def test_the_folder_of_its_socket_is_removed_by_the_next_command_after_a_kill(tmp_path: Path) -> None:
    start = "import os; from spacrd_core.executors.fork_server import start_fork_server; start_fork_server()"
    command = [sys.executable, "-c", f"{start}; os.kill(os.getpid(), {signal.SIGKILL:d})"]
    subprocess.run(command, env=os.environ | {"TMPDIR": str(tmp_path)}, check=False)
    assert [*tmp_path.iterdir()]
    remove_abandoned(tmp_path)
    assert not [*tmp_path.iterdir()]


SERVER_OF_A_NEW_PROCESS = """
from multiprocessing import forkserver
from pathlib import Path
from spacrd_core.executors.fork_server import start_fork_server
assert start_fork_server()
print(Path(f"/proc/{forkserver._forkserver._forkserver_pid}/status").read_text())
"""


@pytest.mark.skipif(not IS_SAFE, reason="workers are forked on Linux only")
def test_ctrl_c_does_not_reach_the_server_of_a_process_that_has_started_nothing_yet() -> None:
    done = subprocess.run([sys.executable, "-c", SERVER_OF_A_NEW_PROCESS], capture_output=True, text=True, check=True)
    (blocked,) = [int(line.split()[1], 16) for line in done.stdout.splitlines() if line.startswith("SigBlk")]
    assert blocked & 1 << signal.SIGINT - 1


SERVER_OF_A_SHORT_PROCESS = """
from multiprocessing import forkserver
from spacrd_core.executors.fork_server import start_fork_server
assert start_fork_server("torch")
print(forkserver._forkserver._forkserver_pid)
"""


@pytest.mark.skipif(not IS_SAFE, reason="workers are forked on Linux only")
def test_the_server_ends_with_its_process_though_it_is_still_loading() -> None:
    done = subprocess.run([sys.executable, "-c", SERVER_OF_A_SHORT_PROCESS], capture_output=True, text=True, check=True)
    server = Path(f"/proc/{int(done.stdout)}/status")
    assert not server.exists() or "State:\tZ" in server.read_text()


TRACKER = """
from multiprocessing import resource_tracker
from pathlib import Path
from spacrd_core.executors.signals import starting_processes
with starting_processes():
    pass
print(Path(f"/proc/{resource_tracker._resource_tracker._pid}/status").read_text())
"""


@pytest.mark.skipif(not IS_SAFE, reason="/proc is on Linux only")
def test_what_cleans_up_after_a_process_outlives_a_closed_terminal() -> None:
    done = subprocess.run([sys.executable, "-c", TRACKER], capture_output=True, text=True, check=True)
    (blocked,) = [int(line.split()[1], 16) for line in done.stdout.splitlines() if line.startswith("SigBlk")]
    assert blocked & 1 << signal.SIGHUP - 1
