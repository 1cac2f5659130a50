"""Neighbourhoods and supports of samples: prdc's and synthcity's numbers, loops over the definitions, and laws.

`benchmarks/fidelity/manifolds.py` makes the samples, and prints the numbers in an environment of its own.
"""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.statistics.neighbours import Pooled, manifold
from pipeline.statistics.supports import LEVELS, faithfulness

sys.path.append(str(Path(__file__).parents[3] / "benchmarks" / "fidelity"))
from manifolds import samples

PRDC = {
    "nothing": {"density": 0.982, "coverage": 0.97, "precision": 0.99, "recall": 0.965},
    "scattered": {"density": 0.592, "coverage": 0.815, "precision": 0.855, "recall": 0.995},
    "half is missing": {"density": 0.978, "coverage": 0.73, "precision": 0.995, "recall": 0.77},
}
SYNTHCITY = {
    "nothing": (0.9457816091954023, 0.3859999999999999),
    "scattered": (0.4643333333333334, 0.2843333333333333),
    "half is missing": (0.9642183908045977, 0.3566666666666667),
}


def gaussian(seed: int, rows: int = 800) -> np.ndarray:
    """Points of one population, [rows, 5]."""
    return np.random.default_rng(seed).normal(size=(rows, 5))


REAL, LIKE = gaussian(1), gaussian(2)


def measures(other: np.ndarray, real: np.ndarray = REAL) -> dict[str, float]:
    """All measures of `other` beside `real`, by name."""
    pooled = Pooled.of(real, other)
    return {**manifold(pooled)._asdict(), **faithfulness(pooled)._asdict()}


@pytest.mark.parametrize("name", PRDC)
def test_balls_are_prdcs(name):
    """Density, coverage, precision and recall are those of prdc 0.2."""
    assert manifold(Pooled.of(*samples()[name]))._asdict() == pytest.approx(PRDC[name], abs=1e-12)


@pytest.mark.parametrize("name", SYNTHCITY)
def test_faithfulness_is_synthcitys(name):
    """α-precision and β-recall are those of synthcity 0.2.12."""
    assert faithfulness(Pooled.of(*samples()[name])) == pytest.approx(SYNTHCITY[name], abs=1e-12)


def test_balls_are_their_definition():
    """For unequal sizes, all four agree with a loop over balls that reach the fifth neighbour."""
    rng = np.random.default_rng(6)
    real, other = rng.normal(size=(30, 2)), rng.normal(0.5, 1, size=(40, 2))

    def balls(own, points):
        """Which points [points] lie in the ball around each of a sample's own points."""
        radii = [sorted(np.linalg.norm(own - centre, axis=1))[5] for centre in own]
        return np.array(
            [[np.linalg.norm(c - p) <= radius for p in points] for c, radius in zip(own, radii, strict=True)]
        )

    found = manifold(Pooled.of(real, other))
    assert found.density == pytest.approx(balls(real, other).sum() / (5 * 40))
    assert found.coverage == pytest.approx(balls(real, other).any(axis=1).mean())
    assert found.precision == pytest.approx(balls(real, other).any(axis=0).mean())
    assert found.recall == pytest.approx(balls(other, real).any(axis=0).mean())


def test_faithfulness_is_its_definition():
    """For unequal sizes, both numbers agree with loops over levels and points."""
    real, other = gaussian(3, 40), 1.3 * gaussian(4, 55)
    centre, radius = real.mean(0), [np.linalg.norm(x - real.mean(0)) for x in real]
    nearest = [min(other, key=lambda y, x=x: np.linalg.norm(x - y)) for x in real]
    depth = [np.linalg.norm(y - other.mean(0)) for y in nearest]
    spacing = [sorted(np.linalg.norm(real - x, axis=1))[1] for x in real]
    precision, recall = [], []
    for level in LEVELS:
        precision.append(np.mean([np.linalg.norm(y - centre) <= np.quantile(radius, level) for y in other]))
        inside = np.array(depth) <= np.quantile(depth, level)
        covered = [np.linalg.norm(x - y) <= gap for x, y, gap in zip(real, nearest, spacing, strict=True)]
        recall.append(np.mean(inside & covered))
    expected = [1 - np.mean(np.abs(curve - LEVELS)) / np.mean(LEVELS) for curve in (precision, recall)]
    assert faithfulness(Pooled.of(real, other)) == pytest.approx(expected)


def test_like_samples_reach_what_theory_says():
    """Like samples have density 1, coverage 1 − 2⁻⁵ and β-recall ½ (false failure below 1e-4: 4 standard errors).

    The nearest of 2n like points belongs to either sample with equal odds, and so do the five nearest.
    """
    found = measures(LIKE)
    assert found["density"] == pytest.approx(1, abs=0.08)
    assert found["coverage"] == pytest.approx(1 - 2**-5, abs=0.03)
    assert found["beta_recall"] == pytest.approx(0.5, abs=0.08)
    assert found["alpha_precision"] > 0.93


def test_equal_rows_count_although_balls_are_points():
    """On a table of few distinct rows every row lies in the balls of its equals: all shares are 1."""
    points = np.random.default_rng(5).integers(0, 2, (200, 3)) / 3 + 1000.0
    found = measures(points[100:], points[:100])
    assert (found["coverage"], found["precision"], found["recall"]) == (1, 1, 1)
    assert found["alpha_precision"] > 0.8
    assert found["beta_recall"] > 0.8


def test_noise_costs_realism():
    """Precision, density and α-precision fall with the noise, step by step."""
    noise = gaussian(7)
    steps = [measures(LIKE + size * noise) for size in (0.0, 0.7, 1.5)]
    for name in ("precision", "density", "alpha_precision"):
        first, second, third = (step[name] for step in steps)
        assert first > second + 0.02 > third + 0.04, name


def test_dropped_modes_cost_variety():
    """Recall and coverage fall with each mode that is left out, β-recall is below its ceiling, and precision stays."""
    modes = 12 * np.eye(5)
    real = np.concatenate([gaussian(10 + i, 200) + mode for i, mode in enumerate(modes)])
    steps = []
    for kept in (5, 4, 3, 2, 1):
        other = np.concatenate([gaussian(20 + i, 1000 // kept) + mode for i, mode in enumerate(modes[:kept])])
        steps.append(measures(other, real))
    for before, after in pairwise(steps):
        assert before["recall"] > after["recall"] + 0.1
        assert before["coverage"] > after["coverage"] + 0.1
    assert max(step["beta_recall"] for step in steps[1:]) < steps[0]["beta_recall"] - 0.1
    assert min(step["precision"] for step in steps) > 0.9
    assert steps[-1]["recall"] == pytest.approx(0.2, abs=0.03)


def test_a_copied_centre_is_realistic_and_poor():
    """One typical row again and again has full precision. All measures of variety, and α-precision, are near 0."""
    found = measures(np.tile(REAL[np.linalg.norm(REAL, axis=1).argmin()], (800, 1)))
    assert found["precision"] == 1
    assert max(found["recall"], found["coverage"], found["beta_recall"], found["alpha_precision"]) < 0.1
