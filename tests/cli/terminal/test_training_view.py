"""The display of a training while it runs."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.training_view import TrainingBars, TrainingLines, losses, telling_what_is_kept, training_view
from spacrd_core.model.calibrated_ensemble import ALL_PATIENTS, TrainingEvent
from spacrd_core.model.fit import Epoch

TERMS = {"detection": 0.25, "prior": 0.125}


def epoch(number: int, *, stage: str = "without A", phase: str = "detect") -> TrainingEvent:
    return TrainingEvent(stage, epoch=Epoch(phase, number, 3, TERMS, 0.1))


def held_out(patient: str, auc: float | None) -> TrainingEvent:
    return TrainingEvent(f"without {patient}", held_out_auc=auc)


def lines(*events: TrainingEvent, seconds: float = 100.0) -> list[str]:
    written: list[str] = []
    on_event = TrainingLines(written.append, final_stage=ALL_PATIENTS, seconds=seconds)
    for event in events:
        on_event(event)
    return written


def screen(*events: TrainingEvent, width: int = 100) -> str:
    """All output to a terminal."""
    terminal = io.StringIO()
    bars = TrainingBars(Console(file=terminal, force_terminal=True, color_system=None, width=width), stages=3)
    for event in events:
        bars(event)
        bars._progress.refresh()
    bars.close()
    return terminal.getvalue()


def test_every_patient_held_out_has_a_line_with_the_mean_so_far() -> None:
    assert lines(held_out("A", 0.9), held_out("B", None), held_out("C", 0.7)) == [
        "without A: held-out AUC before modality weighting 0.900",
        "without B: held out, no AUC because only one class is labelled",
        "without C: held-out AUC before modality weighting 0.700 (mean of 2: 0.800)",
    ]


def test_plain_lines_show_the_end_of_every_phase_of_the_final_model() -> None:
    final = [epoch(number, stage=ALL_PATIENTS) for number in (1, 2, 3)]
    assert lines(*(epoch(number) for number in (1, 2, 3)), *final) == [
        "all patients: detect, epoch 3 of 3: loss 0.375: detection 0.250, prior 0.125"
    ]


def test_plain_lines_show_the_progress_of_a_long_training() -> None:
    written = lines(epoch(1), epoch(2), seconds=0.0)
    assert [line.partition(":")[2].partition(":")[0] for line in written] == [
        " detect, epoch 1 of 3",
        " detect, epoch 2 of 3",
    ]


def test_a_single_loss_has_no_terms() -> None:
    assert losses(TrainingEvent("without A", epoch=Epoch("align", 1, 1, {"contrastive": 2.0}, 0.1))) == "loss 2.000"


def test_a_terminal_shows_phase_epoch_and_losses() -> None:
    shown = screen(epoch(2))
    assert "without A: detect" in shown
    assert "2/3" in shown
    assert "loss 0.375: detection 0.250, prior 0.125" in shown
    assert re.search(r"models trained .*0/3", shown)


def test_a_patients_line_stays_on_the_screen_and_its_bar_goes() -> None:
    shown = screen(epoch(3), held_out("A", 0.9), epoch(1, stage="without B"))
    assert "without A: held-out AUC before modality weighting 0.900\n" in shown
    last = shown.split("models trained")[-1]
    assert "without A" not in last
    assert "1/3" in last
    assert "without B: detect" in last


def test_models_trained_in_parallel_have_one_bar_each() -> None:
    last = screen(epoch(1), epoch(1, stage="without B"), epoch(2)).split("models trained")[-1]
    assert "without A" in last
    assert "without B" in last


def test_the_end_leaves_the_cursor_and_no_bar() -> None:
    assert screen(epoch(1)).rstrip().endswith("\x1b[2K")
    assert "\x1b[?25h" in screen(epoch(1))


@pytest.mark.parametrize("width", [60, 80])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    plain = re.sub(r"(\x1b\[[0-9?;]*[A-Za-z]|\r)+", "\n", screen(epoch(1), held_out("A", 0.9), width=width))
    assert max(map(len, plain.splitlines())) <= width


def test_where_there_is_no_terminal_lines_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with training_view(Output(), stages=3) as on_event:
        on_event(held_out("A", 0.9))
    assert capsys.readouterr() == ("", "without A: held-out AUC before modality weighting 0.900\n")


def test_plain_lines_say_how_far_the_training_is_and_how_long_it_takes() -> None:
    first = replace(epoch(1), models=6, seconds_left=80.4)
    second = replace(held_out("B", 0.9), models_done=2, models=6, seconds_left=4.6)
    line, last = lines(first, second, seconds=0.0)
    assert line.endswith("detection 0.250, prior 0.125; 0 of 6 models, 1 min 20 s left")
    assert last == "without B: held-out AUC before modality weighting 0.900; 2 of 6 models, 5 s left"


def test_a_bar_counts_down_the_time_left() -> None:
    shown = screen(replace(epoch(2), models_done=1, models=6, seconds_left=80.4), width=110)
    assert re.search(r"models trained .*1/6 .* 1 min (20|19) s left", shown)


def test_kept_groups_have_one_line_together_and_count_in_the_mean() -> None:
    kept = [replace(held_out(name, auc), kept=2, models=5) for name, auc in (("A", 0.9), ("B", 0.7))]
    written = lines(*kept, held_out("C", 0.5))
    assert written == [
        "2 of 4 held-out groups are kept from an interrupted training",
        "without C: held-out AUC before modality weighting 0.500 (mean of 3: 0.700)",
    ]
    shown = screen(*kept, held_out("C", 0.5))
    assert [shown.count(line) for line in written] == [1, 1]


def test_an_interrupted_training_says_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()

    def interrupt(*events: TrainingEvent) -> None:
        with training_view(out, stages=3) as show, telling_what_is_kept(out, show) as on_event:
            for event in events:
                on_event(event)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt(replace(held_out("A", None), models=3), replace(epoch(1), models=3))
    assert capsys.readouterr().err.splitlines()[-1] == "1 of 2 held-out groups are done and kept"
    with pytest.raises(KeyboardInterrupt):
        interrupt(replace(epoch(1), models=3))
    assert "kept" not in capsys.readouterr().err


def test_groups_on_workers_leave_the_screen_to_their_own_bar() -> None:
    terminal = io.StringIO()
    console = Console(file=terminal, force_terminal=True, color_system=None, width=100)
    bars = TrainingBars(console, stages=3, on_workers=True)
    bars(held_out("A", 0.9))
    assert "models trained" not in terminal.getvalue()
    bars(epoch(1, stage=ALL_PATIENTS))
    bars.close()
    assert "models trained" in terminal.getvalue()


def test_quiet_trains_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    with training_view(Output(quiet=True), stages=3) as on_event:
        on_event(held_out("A", 0.9))
    assert capsys.readouterr() == ("", "")


def test_a_training_that_fails_gives_the_screen_back() -> None:
    terminal = io.StringIO()
    out = Output()
    out.console = Console(file=terminal, force_terminal=True, width=80)

    def fail() -> None:
        with training_view(out, stages=3) as on_event:
            on_event(epoch(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert terminal.getvalue().rstrip().endswith("\x1b[2K")
    assert "\x1b[?25h" in terminal.getvalue()
