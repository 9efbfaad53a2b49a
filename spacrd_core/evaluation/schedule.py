"""The order of an evaluation's trainings: a test starts when all folds inside its training set are scored."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from spacrd_core.evaluation.fold_tasks import HeldOutTask, InnerTask, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from spacrd_core.evaluation.inner_folds import InnerFold, Scoring
    from spacrd_core.evaluation.plan import Task
    from spacrd_core.evaluation.summary import Row
    from spacrd_core.executors.task import Outcome
    from spacrd_core.model.fold_scores import FoldScores


@dataclass
class _Test:
    """A test, its inner folds, and the scores of those that are done; they are dropped when the test starts."""

    task: HeldOutTask
    folds: Sequence[InnerFold]
    scores: dict[InnerFold, tuple[FoldScores, ...]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    error: Exception | None = None

    def keep(self, training: tuple[Any, ...], scores: Mapping[Scoring, FoldScores]) -> None:
        """Take the scores by an inner training."""
        for fold in self.folds:
            if fold.training == training:
                self.scores[fold] = tuple(scores[each] for each in fold.scored)

    def start(self) -> HeldOutTask:
        """Return the test with the scores of its folds."""
        scored = tuple((fold.group, self.scores.pop(fold)) for fold in self.folds)
        return replace(self.task, folds=scored)


class Schedule:
    """Tests and the inner trainings that they need; tests share the inner trainings that are the same."""

    def __init__(self, tests: Iterable[tuple[HeldOutTask, Sequence[InnerFold]]]) -> None:
        self._tests = {_test_key(task): _Test(task, folds) for task, folds in tests}
        self._users: dict[tuple[Any, ...], list[_Test]] = defaultdict(list)
        for test in self._tests.values():
            for fold in test.folds:
                self._users[_training_key(test.task, fold)].append(test)

    def __len__(self) -> int:
        """Return the number of trainings."""
        return len(self._users) + len(self._tests)

    def trainings(self) -> Iterator[tuple[Task, list[str]]]:
        """Yield every training: a task that needs it, and the sections that are learned from."""
        for key, users in self._users.items():
            yield users[0].task.task, [read.section for read in key[-1]]
        for test in self._tests.values():
            task = test.task.task
            yield task, [each.id for each in split(task, test.task.sections.get())[0]]

    def first(self) -> Iterator[HeldOutTask | InnerTask]:
        """Yield the tasks that wait for no other."""
        for key, users in self._users.items():
            first, training = users[0].task, key[-1]
            folds = [fold for test in users for fold in test.folds if fold.training == training]
            scored = tuple(dict.fromkeys(scoring for fold in folds for scoring in fold.scored))
            yield InnerTask(
                task=first.task, sections=first.sections, heads=first.heads, training=training, scored=scored
            )
        yield from (test.start() for test in self._tests.values() if not test.folds)

    def after(self, outcome: Outcome[Any, Any]) -> list[HeldOutTask]:
        """Take the outcome of a task, and return the tests that can start now."""
        task = outcome.task
        tests = (
            self._users[_training_key(task, task)] if isinstance(task, InnerTask) else [self._tests[_test_key(task)]]
        )
        for test in tests:
            test.error = test.error or outcome.error
        if outcome.error:
            return []
        if isinstance(task, HeldOutTask):
            tests[0].rows = outcome.result or []
            return []
        for test in tests:
            test.keep(task.training, outcome.result or {})
        return [test.start() for test in tests if len(test.scores) == len(test.folds)]

    def rows(self) -> list[list[Row]]:
        """Return the rows of every test; raise the error of the first that failed."""
        for test in self._tests.values():
            if test.error:
                raise test.error
        return [test.rows for test in self._tests.values()]


def _training_key(task: HeldOutTask | InnerTask, fold: InnerFold | InnerTask) -> tuple[Any, ...]:
    """What distinguishes an inner training from others."""
    return (task.task.head, task.task.modalities, task.task.options.first_seed, fold.training)


def _test_key(task: HeldOutTask) -> tuple[Any, ...]:
    """What distinguishes a test from others."""
    return (task.task.head, task.task.modalities, task.task.options.first_seed, task.task.test)
