"""Settings of every command that can run on several workers: which executor, and which part of the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationInfo, field_validator

from spacrd_core.config import CommandConfig
from spacrd_core.executors.parts import Part

if TYPE_CHECKING:
    from spacrd_core.executors.pool import Executor

ExecutorName = Literal["serial", "processes", "dask"]


class ExecutorSettings(CommandConfig):
    """Where the work runs."""

    executor: ExecutorName = "serial"
    workers: int | None = Field(None, ge=1)
    scheduler: str = ""

    @field_validator("workers")
    @classmethod
    def _check_workers(cls, workers: int | None, info: ValidationInfo) -> int | None:
        if workers and workers > 1 and info.data.get("executor") == "serial":
            raise ValueError("serial has one worker; choose --executor processes or dask")
        return workers

    @field_validator("scheduler")
    @classmethod
    def _check_scheduler(cls, scheduler: str, info: ValidationInfo) -> str:
        if scheduler and info.data.get("executor", "dask") != "dask":
            raise ValueError("only Dask has a scheduler; choose --executor dask")
        if scheduler and info.data.get("workers"):
            raise ValueError("a scheduler has its own workers; leave out --workers")
        return scheduler

    def start_workers(self, *modules: str) -> None:
        """Let the process that workers are forked from load the modules of the tasks, while this one loads its own."""
        if self.executor == "processes":
            from spacrd_core.executors.fork_server import start_fork_server

            start_fork_server("spacrd_cli.app", *modules)

    def make_executor(self) -> Executor:
        """Return the executor that these settings choose.

        Raises
        ------
        PluginError
            If it is Dask, and Dask is not installed.
        """
        if self.executor == "dask":
            from spacrd_core.executors.dask import Dask

            return Dask(self.scheduler, self.workers or 0)
        if self.executor == "processes":
            from spacrd_core.executors.processes import Processes

            return Processes(self.workers or 0)
        from spacrd_core.executors.serial import Serial

        return Serial()


class PartSettings(CommandConfig):
    """Which part of the work a job of an array does."""

    part: str = "1/1"

    @field_validator("part")
    @classmethod
    def _check_part(cls, part: str) -> str:
        Part.parse(part)
        return part

    @property
    def chosen_part(self) -> Part:
        """The part of the work."""
        return Part.parse(self.part)
