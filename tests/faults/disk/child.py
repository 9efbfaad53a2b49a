"""A process that has loaded SpaCRD and forks a child for every command, with a limit on files or without a right.

It is a program of its own, because a process with threads must not fork. It reads a JSON request a line, and answers
with the exit code and the output of the command.
"""

import ctypes
import importlib
import json
import os
import resource
import sys
import tempfile
import threading
from contextlib import suppress
from typing import Any, NoReturn

from faults.loading import load_everything

RIGHTS_OF_ROOT = (1, 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: to do what permissions do not allow
CAPABILITY_VERSION, PR_CAPBSET_DROP = 0x20080522, 24

Request = dict[str, Any]


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    load_everything()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), file=answers, flush=True)


def _run(request: Request) -> Request:
    reading, writing = os.pipe()
    child = os.fork() or _be_command(request, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        output = stream.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    text, _, loaded = output.rpartition("\0")
    for name in loaded.split():
        with suppress(ImportError):  # parts of extensions
            importlib.import_module(name)  # the next child has it from the beginning
    return {"code": code, "output": text or loaded}


def _be_command(request: Request, output: int) -> NoReturn:
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(request["folder"])
    os.environ["TMPDIR"], tempfile.tempdir = request["temporary"], None
    loaded = set(sys.modules)
    from spacrd_cli.main import run  # noqa: PLC0415 - loaded before
    from spacrd_core import outputs  # noqa: PLC0415

    if request["room_vanishes"]:  # after it was tried
        outputs.PROBE_BYTES = 0
    if request["without_right"]:
        _give_up_rights()
    if request["file_bytes"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_bytes"], request["file_bytes"]))
    code = run(request["arguments"])
    threading._shutdown()  # type: ignore[attr-defined]
    sys.stdout.flush()
    new = " ".join(name for name in set(sys.modules) - loaded if sys.modules[name].__spec__)
    os.write(1, f"\0{new}".encode())
    os._exit(code)


def _give_up_rights() -> None:
    """Obey permissions, as users do who are not root."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    for right in RIGHTS_OF_ROOT:
        libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0)
        for low in range(3):  # effective, permitted, inheritable
            sets[low] &= ~(1 << right)
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    main()
