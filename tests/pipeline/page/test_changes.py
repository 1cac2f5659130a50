"""Better, worse or the same: changes of scores since the previous version, against hand-made evaluations."""

import numpy as np
import pytest

from pipeline.evaluation import Evaluation, Score
from pipeline.page.changes import BETTER, SAME, UNTOLD, WORSE, Change, changes
from pipeline.settings import GateSettings


def changed(now: Score, before: Score, **margins: float) -> Change:
    """The change of one score under these margins of the gate."""
    new, old = (Evaluation(rows=100, holdout_rows=50, scores=(score,)) for score in (now, before))
    [found] = changes(new, old, GateSettings(margins=margins))
    return found


def test_what_the_margin_allows_is_the_same() -> None:
    """A smaller error is better, a larger one worse, and either is the same within the margin of the gate."""
    for error, verdict in ((0.05, BETTER), (0.15, WORSE), (0.115, SAME), (0.085, SAME)):
        found = changed(Score.of("shape_error", error), Score.of("shape_error", 0.10), shape_error=0.02)
        assert found.verdict == verdict
        assert found.before == pytest.approx(90)
        assert found.now == pytest.approx(100 * (1 - error))
        assert found.noise == pytest.approx(2)


def test_a_share_is_better_when_it_is_larger() -> None:
    """A score whose goal is a maximum counts in the other direction than an error."""
    high, low = Score.of("utility", 0.9), Score.of("utility", 0.8)
    assert changed(high, low, utility=0.01).verdict == BETTER
    assert changed(low, high, utility=0.01).verdict == WORSE


def test_without_pairs_the_noise_is_that_of_both() -> None:
    """Independent intervals add up in squares, so that a change must be larger to count."""
    interval = (0.0, 0.2)
    shared, own = np.random.default_rng(0).normal(0, (0.05, 0.002), (200, 2)).T
    before = Score.of("shape_error", 0.10, 0.09, interval, 0.10 + shared)
    now = Score.of("shape_error", 0.11, 0.09, interval, 0.11 + shared + own)
    paired = changed(now, before)
    assert paired.noise == pytest.approx(100 * 1.96 * np.std(own), rel=1e-3)
    assert paired.verdict == WORSE
    unpaired = changed(now, Score.of("shape_error", 0.10, 0.09, interval))
    assert unpaired.noise == pytest.approx(100 * np.hypot(0.1, 0.1))
    assert unpaired.verdict == SAME


def test_noise_has_the_scale_of_its_score() -> None:
    """A score whose best value is one half runs from 100 to 0 within one half, and so does its noise."""
    found = changed(Score.of("nearer_to_train", 0.6), Score.of("nearer_to_train", 0.7), nearer_to_train=0.01)
    assert (found.now, found.before) == (pytest.approx(80), pytest.approx(60))
    assert found.noise == pytest.approx(2)
    assert found.verdict == BETTER


def test_without_noise_nothing_is_concluded() -> None:
    """A difference of which the noise is not known is neither better nor worse; no difference is the same."""
    high, low = Score.of("utility", 0.9), Score.of("utility", 0.8)
    assert changed(high, low).verdict == UNTOLD
    assert changed(high, low).noise is None
    assert changed(high, high).verdict == SAME
