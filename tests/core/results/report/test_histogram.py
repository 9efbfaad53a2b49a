import numpy as np

from spacrd_core.results.report.histogram import BINS, HEIGHT, WIDTH, histogram


def test_every_known_probability_is_in_a_bar_and_few_are_seen_beside_many() -> None:
    bars = histogram(np.array([0.0] * 100 + [0.51] + [1.0] * 25 + [np.nan]))
    assert [(bar.start, bar.spots, bar.height) for bar in bars if bar.spots] == [
        (0.0, 100, HEIGHT),
        (0.5, 1, HEIGHT / 10),
        (0.95, 25, HEIGHT / 2),
    ]
    assert len(bars) == BINS
    assert bars[-1].x == WIDTH - WIDTH / BINS


def test_there_are_no_bars_without_probabilities() -> None:
    assert histogram(np.array([np.nan])) == []
