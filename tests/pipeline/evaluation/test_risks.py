"""Disclosure attacks: against brute force, on copies, on fresh rows and on tables with little to attack."""

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from samples import people
from scipy.stats import binomtest

from pipeline.columns import infer
from pipeline.evaluation import Evaluation, disclosing, evaluate
from pipeline.evaluation.areas.risks import wilson
from pipeline.evaluation.disclosing import NULL, Predicates

ORDERED = np.array([True, False, True])


def cells(rows: int, seed: int) -> np.ndarray:
    """Two columns of ranks and one of labels, nulls among them."""
    rng = np.random.default_rng(seed)
    found = np.stack([rng.random(rows), rng.integers(0, 3, rows), rng.random(rows)], axis=1)
    found[rng.random((rows, 3)) < 0.1] = NULL
    return found


def attacked(train: pa.Table, holdout: pa.Table, rows: pa.Table) -> Evaluation:
    """The area, for these rows as synthetic ones."""
    return evaluate(rows, holdout=holdout, train=train, schema=infer(train), areas=["risks"])


def gower(row: np.ndarray, other: np.ndarray, columns: list[int]) -> float:
    """The distance of two rows, one column after the other."""
    total = 0.0
    for k in columns:
        if (row[k] == NULL) != (other[k] == NULL):
            total += 1
        elif row[k] != NULL:
            total += abs(row[k] - other[k]) if ORDERED[k] else float(row[k] != other[k])
    return total


def test_guesses_come_from_the_nearest_row():
    """Each secret is guessed from the row that a double loop finds nearest by the other columns."""
    targets, synthetic = cells(20, 0), cells(30, 1)
    found = disclosing.guessed(targets, synthetic, ORDERED, np.arange(3))
    for i, row in enumerate(targets):
        for secret in range(3):
            others = [k for k in range(3) if k != secret]
            away = np.array([gower(row, other, others) for other in synthetic])
            assert found[i, secret] in synthetic[away <= away.min() + 1e-5, secret]


def test_a_row_is_linked_by_a_common_nearest_row():
    """A target is linked where the nearest rows by both sets of columns, found by a loop, have a row in common."""
    targets, synthetic = cells(40, 2), cells(60, 3)
    found = disclosing.linked(targets, synthetic, ORDERED, np.array([True, False, False]))
    for row, hit in zip(targets, found, strict=True):
        sets = []
        for group in ([0], [1, 2]):
            away = np.array([gower(row, other, group) for other in synthetic])
            sets.append(set(np.flatnonzero(away <= away.min() + 1e-5)))
        assert hit == bool(sets[0] & sets[1])


def test_predicates_hold_for_one_synthetic_row():
    """Predicates of one column are the values that occur once and the ends of the range, as a loop finds them."""
    synthetic = np.array([[0.1, 0.0], [0.1, 1.0], [0.5, 1.0], [NULL, 1.0]])
    found = disclosing.of_one_column(synthetic, np.array([True, False]), 100, np.random.default_rng(0))
    expected = {(0, 0.5, 0.5), (0, 0.5, np.inf), (0, NULL, NULL), (1, 0.0, 0.0)}
    assert {(int(c[0]), lo[0], hi[0]) for c, lo, hi in zip(*found, strict=True)} == expected


def test_the_chance_to_stand_alone_in_a_sample():
    """The chance that a predicate holds for one row of a sample is the share of all samples in which it does."""
    for count in range(5):
        subsets = list(combinations(range(7), 3))
        expected = np.mean([sum(row < count for row in subset) == 1 for subset in subsets])
        assert disclosing.isolated(np.array([count]), 3, 7)[0] == pytest.approx(expected)


def test_counts_are_those_of_a_loop():
    """A predicate counts the rows that fulfil all its conditions."""
    rows = cells(50, 4)
    asked = Predicates(
        np.array([[0, 1], [2, 0]]), np.array([[0.2, 1.0], [0.0, 0.5]]), np.array([[0.9, 1.0], [0.6, 9.0]])
    )
    expected = [
        sum(0.2 <= a <= 0.9 and b == 1 for a, b, _ in rows),
        sum(0 <= c <= 0.6 and a >= 0.5 for a, _, c in rows),
    ]
    assert asked.counts(rows).tolist() == expected


def test_intervals_are_wilsons():
    """The interval of a share equals that of SciPy."""
    expected = binomtest(7, 40).proportion_ci(method="wilson")
    assert wilson(7 / 40, 40) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_copies_are_caught_and_fresh_rows_are_not():
    """A copying generator reaches a risk near 1. Fresh rows stay within chance, and the same seed finds the same."""
    train, holdout = people(1200, 0), people(400, 1)
    copied, fresh = attacked(train, holdout, train), attacked(train, holdout, people(1200, 2))
    assert copied["disclosure_risk"].low > copied["disclosure_risk"].ceiling + 0.3
    assert fresh["disclosure_risk"].low < fresh["disclosure_risk"].ceiling
    assert fresh == attacked(train, holdout, people(1200, 2))
    for risk in copied.details["risks"]:
        assert risk.risk == pytest.approx((risk.rate - risk.control) / (1 - risk.control))


def test_held_out_rows_of_a_later_time_are_no_leak():
    """Where held-out rows differ from training rows, fresh rows stay within what real rows reach, and copies do not."""
    train, fresh, later = people(1200, 0), people(1200, 2), people(400, 1)
    years = [table.append_column("year", pa.array(np.arange(len(table)) % 3 + 2020)) for table in (train, fresh)]
    holdout = later.append_column("year", pa.array(np.full(400, 2024)))
    found, copied = (attacked(years[0], holdout, rows) for rows in (years[1], years[0]))
    assert found["disclosure_risk"].value > 0.3
    assert found["disclosure_risk"].low < found["disclosure_risk"].ceiling + 0.1
    assert copied["disclosure_risk"].low > copied["disclosure_risk"].ceiling + 0.1


def test_as_many_columns_single_out_as_a_large_table_needs():
    """Where three columns of six labels never point to one row, more do, and copies are caught by them."""
    rng = np.random.default_rng(0)
    train, holdout = (pa.table({f"c{k}": rng.choice(list("uvwxyz"), 4000) for k in range(8)}) for _ in range(2))
    (risk,) = (each for each in attacked(train, holdout, train).details["risks"] if "several" in each.attack)
    assert risk.attacks >= 100
    assert risk.rate == 1
    assert risk.control < 0.3


@pytest.mark.parametrize(
    "values", [["a", "b"] * 50, [f"{k:08x}-{k * 7919:06x}" for k in range(100)], [None] * 100], ids=str
)
def test_one_column_with_little_to_attack(values):
    """A table of one column without values that stand alone has no score, and a note says why."""
    table = pa.table({"x": pa.array(values, pa.string())})
    found = attacked(table, table, table)
    assert "disclosure_risk" in found or found.notes
