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
    keys = [_training_key(task, seeded=heads.load(task.options.head.name).seeded) for task in tasks]
    task_of_key = dict(zip(reversed(keys), reversed(tasks), strict=True))
    order = list(dict.fromkeys(keys))
    local_heads = Local(load_heads, heads)
    schedule = Schedule(
        (
            HeldOutTask(task=task_of_key[key], sections=sections, heads=local_heads, encoder=encoder),
            folds_inside(task_of_key[key], sections.get(), heads),
        )
        for key in order
    )
    open_pool = partial((executor or Serial()).open, device, lambda _: None)
    with closing(run_tasks(open_pool, schedule.first(), then=schedule.after)) as outcomes:
        for _ in track(outcomes, "evaluating", len(schedule)):
            pass
    rows_of_key = dict(zip(order, schedule.rows(), strict=True))
    for task, key in zip(tasks, keys, strict=True):
        yield from (row.model_copy(update={"seed": task.options.first_seed}) for row in rows_of_key[key])


def _training_key(task: Task, *, seeded: bool) -> tuple[object, ...]:
    """What distinguishes the training of a task from others."""
    return (task.head, task.modalities, task.test, task.options.first_seed if seeded else None)
