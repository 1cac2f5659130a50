"""Numbers that few rows share, and numbers that mean something else."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from pipeline.arrow.arrays import numbers
from pipeline.columns import KINDS, Encoded
from pipeline.schema import Column

RANDOM = np.random.default_rng(11)


def generated(array: pa.Array, kind: str = "numeric", least_rows: int = 5) -> pa.Array:
    """What a codec makes of the training rows' own symbols."""
    codec = KINDS[kind].fit(array, Column(name="x", kind=kind, nullable=False, least_rows=least_rows))
    values = codec.encode(array).values
    assert codec.decode(codec.encode(array)).equals(array)
    return codec.decode(Encoded(values, codec.draw(values, RANDOM, np.arange(len(array)))))


@pytest.mark.parametrize("rows", [20, 25, 100])
def test_scores_of_a_small_table_are_not_copied(rows):
    """If every score with three decimals occurs in one row, hardly any generated score is a real one."""
    array = pa.array(RANDOM.random(rows).round(3) * 100)
    drawn = np.concatenate([numbers(generated(array)) for _ in range(20)])
    ends = {numbers(array).min(), numbers(array).max()}
    assert np.mean(np.isin(drawn, numbers(array)) & ~np.isin(drawn, list(ends))) < 0.05


def test_a_rare_number_between_common_ones_is_taken_for_one_of_them():
    """With 0, 7 and 10, two rows of 7 become 10, and nothing in between is drawn. With least_rows = 1, 7 stays."""
    array = pa.array([0] * 900 + [7] * 2 + [10] * 98)
    assert set(generated(array).to_pylist()) == {0, 10}
    assert set(generated(array, least_rows=1).to_pylist()) == {0, 7, 10}


def test_rare_integers_are_drawn_from_intervals_of_enough_rows():
    """Ages keep their range and rough distribution, although no age is common enough to be published by itself."""
    array = pa.array(RANDOM.permutation(np.repeat(np.arange(18, 90), 3)))
    drawn = numbers(generated(array))
    assert drawn.min() >= 18
    assert drawn.max() <= 89
    assert abs(drawn.mean() - numbers(array).mean()) < 1.5


@pytest.mark.parametrize("share", [0.01, 0.4])
def test_nothing_is_drawn_between_a_sentinel_and_the_rest(share):
    """9999-12-31 beside real moments, and −999 beside ages, are values of their own, however rare."""
    rows = 3_000
    start = dt.datetime(2022, 1, 1)  # noqa: DTZ001
    moments = [start + dt.timedelta(seconds=int(s)) for s in RANDOM.integers(0, 60_000_000, rows)]
    open_ended = RANDOM.random(rows) < share
    until = [dt.datetime(9999, 12, 31) if o else m for o, m in zip(open_ended, moments, strict=True)]  # noqa: DTZ001
    years = {moment.year for moment in generated(pa.array(until, pa.timestamp("us")), "datetime").to_pylist()}
    assert years <= {2022, 2023, 9999}
    assert 9999 in years
    ages = np.where(open_ended, -999, RANDOM.integers(18, 90, rows))
    drawn = numbers(generated(pa.array(ages)))
    assert set(drawn[drawn < 18]) == {-999}
    assert abs((drawn == -999).mean() - open_ended.mean()) < 0.002
