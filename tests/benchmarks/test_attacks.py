"""Membership attacks: they catch copies, and nothing else."""

import numpy as np
import pandas as pd
import pytest
from attacks import CAUGHT, attack, auc, nearest, scored, tpr
from frames import Space
from sklearn.metrics import roc_auc_score, roc_curve


def people(rows: int, seed: int) -> pd.DataFrame:
    """Two numbers that depend on a group, nulls among them, and a text."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 4, rows)
    height = random.normal(group, 1)
    height[random.random(rows) < 0.1] = np.nan
    return pd.DataFrame({"height": height, "income": random.lognormal(size=rows), "group": [f"g{g}" for g in group]})


@pytest.fixture(scope="module")
def parts() -> dict[str, pd.DataFrame]:
    """Members, non-members, and real rows of neither group."""
    return {"seen": people(1500, 1), "holdout": people(1500, 2), "unseen": people(1500, 3)}


def test_a_copy_is_caught_and_independent_rows_tell_nothing(parts) -> None:
    """The training rows themselves are caught; ½ on real rows, within five deviations (fails by chance once in 10⁶)."""
    found = attack(parts["seen"], parts["holdout"], parts["unseen"], parts["unseen"])
    for name, caught in (("nearest", 0.99), ("density", CAUGHT)):
        assert found[f"copy_{name}_auc"] > caught
        deviation = np.sqrt(2 / (12 * 1500))
        assert found[f"{name}_auc"] == pytest.approx(0.5, abs=5 * deviation)
        assert found[f"{name}_low"] < found[f"{name}_auc"] < found[f"{name}_high"]
        assert found[f"{name}_high"] - found[f"{name}_low"] == pytest.approx(3.92 * deviation, rel=0.25)


def test_copies_among_independent_rows_are_found(parts) -> None:
    """Both attacks rise with the share of synthetic rows that are copies; the nearest row gives each of them away."""
    areas = []
    for share in (0.0, 0.2, 0.5):
        count = int(share * 1500)
        rows = pd.concat([parts["seen"][:count], parts["unseen"][count:]], ignore_index=True)
        halves = scored(parts["seen"], parts["holdout"], rows)
        areas.append([auc(halves[name]) for name in ("nearest", "density")])
        assert np.mean([tpr(half) for half in halves["nearest"]]) == pytest.approx(share, abs=0.06)
    assert (np.diff(areas, axis=0) > 0.05).all()


def test_auc_and_rate_are_those_of_scikit_learn() -> None:
    """Ties count half in the AUC; the rate is that of the highest threshold with at most 1 % false positives."""
    random = np.random.default_rng(0)
    half = (random.integers(1, 30, 400) / 10, random.integers(0, 25, 600) / 10)
    labels = np.repeat([1, 0], [400, 600])
    assert auc([half]) == pytest.approx(roc_auc_score(labels, np.concatenate(half)))
    false, true, _ = roc_curve(labels, np.concatenate(half), drop_intermediate=False)
    assert tpr(half) == pytest.approx(true[false <= 0.01].max())


def test_distances_are_differences_of_ranks_and_mismatches() -> None:
    """Distances equal brute force: squared differences of ranks, and one for another group or null against a value."""
    rows, others = people(40, 4), people(60, 5)
    space = Space([rows, others])
    pool = pd.concat([rows, others])
    expected = np.zeros((40, 60))
    for column in ("height", "income"):
        rank = pool[column].rank().sub(0.5) / pool[column].notna().sum()
        ranks = rank.fillna(0.5).to_numpy()
        null = pool[column].isna().to_numpy()
        expected += (ranks[:40, None] - ranks[None, 40:]) ** 2 + (null[:40, None] != null[None, 40:])
    expected += rows["group"].to_numpy()[:, None] != others["group"].to_numpy()[None]
    found = np.sort(nearest(space, rows, others), axis=1)
    assert found == pytest.approx(np.sort(expected, axis=1)[:, :5], abs=1e-5)
