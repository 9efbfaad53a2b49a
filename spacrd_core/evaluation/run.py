"""Run the tests of an evaluation on an executor."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from spacrd_core.evaluation.fold_tasks import HeldOutTask, folds_inside
from spacrd_core.evaluation.schedule import Schedule
from spacrd_core.executors.local import Local
from spacrd_core.executors.run import run_tasks
from spacrd_core.executors.serial import Serial
from spacrd_core.plugins import Registry, load_heads
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.evaluation.plan import Task
    from spacrd_core.evaluation.summary import Row
    from spacrd_core.executors.pool import Executor


def run(
    tasks: Sequence[Task],
    sections: Local[Sequence[SectionData]],
    *,
    encoder: str,
    device: str,
    heads: Registry[Any],
    executor: Executor | None = None,
    track: Track = silent,
) -> Iterator[Row]:
    """Yield the rows of all tasks in order.

    A task computes in one thread, so that its metrics do not depend on the executor. A head whose result does not
    depend on the seed is trained once, and its rows are repeated.
    """
    schedule = make_schedule(tasks, sections, encoder=encoder, heads=heads)
    open_pool = partial((executor or Serial()).open, device, lambda _: None)
    with closing(run_tasks(open_pool, schedule.first(), then=schedule.after)) as outcomes:
        for _ in track(outcomes, "evaluating", len(schedule)):
            pass
    keys = _training_keys(tasks, heads)
    rows_of_key = dict(zip(dict.fromkeys(keys), schedule.rows(), strict=True))
    for task, key in zip(tasks, keys, strict=True):
        yield from (row.model_copy(update={"seed": task.options.first_seed}) for row in rows_of_key[key])


def make_schedule(
    tasks: Sequence[Task], sections: Local[Sequence[SectionData]], *, encoder: str, heads: Registry[Any]
) -> Schedule:
    """Return the trainings of all tasks; those that differ only by a seed that changes nothing are one."""
    first_tasks: dict[tuple[object, ...], Task] = {}
    for key, task in zip(_training_keys(tasks, heads), tasks, strict=True):
        first_tasks.setdefault(key, task)
    local_heads = Local(load_heads, heads)
    return Schedule(
        (
            HeldOutTask(task=task, sections=sections, heads=local_heads, encoder=encoder),
            folds_inside(task, sections.get(), heads),
        )
        for task in first_tasks.values()
    )


def _training_keys(tasks: Sequence[Task], heads: Registry[Any]) -> list[tuple[object, ...]]:
    return [_training_key(task, seeded=heads.load(task.options.head.name).seeded) for task in tasks]


def _training_key(task: Task, *, seeded: bool) -> tuple[object, ...]:
    """What distinguishes the training of a task from others."""
    return (task.head, task.modalities, task.test, task.options.first_seed if seeded else None)
