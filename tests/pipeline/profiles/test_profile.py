"""Profiles: what they say, how they merge, how small they are, and that they hold no rows."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.columns import infer
from pipeline.errors import SchemaError, TableError
from pipeline.profiles.profile import Profile
from pipeline.schema import PrivacySettings
from pipeline.statistics.frequencies import Frequencies

ADULT = pq.read_table(Path(__file__).parents[3] / "data" / "adult_test.parquet")
MIXED = pa.table(
    {
        "n": pa.array([1.5, None, 3.5, float("nan")]),
        "d": pa.array([0, 1, None, 3], pa.timestamp("us")),
        "c": pa.array(["a", "b", None, "a"]).dictionary_encode(),
        "e": pa.nulls(4, pa.float64()),
    }
)


def test_it_says_what_is_in_the_columns():
    """Nulls, NaN, moments and labels of a small mixed table are exact."""
    profile = Profile.of(MIXED, infer(MIXED, privacy=PrivacySettings(least_rows=1)))
    assert profile.rows == 4
    assert [column.nulls for column in profile.columns] == [2, 1, 1, 4]
    assert (profile["n"].summary.low, profile["n"].summary.mean, profile["n"].summary.deviation) == (1.5, 2.5, 1.0)
    assert profile["d"].summary.high == 3
    assert profile["c"].summary.counts == {"a": 2, "b": 1}
    assert profile["c"].type == "string"
    assert profile["e"].summary is None


def test_parts_merge_to_the_whole():
    """Merged shards have the counts, moments and labels of the whole table."""
    schema = infer(ADULT)
    whole = Profile.of(ADULT, schema)
    first, rest = Profile.of(ADULT.slice(0, 5000), schema), Profile.of(ADULT.slice(5000), schema)
    merged = first.merge(rest)
    assert merged.rows == whole.rows
    for mine, theirs in zip(merged.columns, whole.columns, strict=True):
        assert mine.nulls == theirs.nulls
        if isinstance(theirs.summary, Frequencies):
            assert mine.summary.counts == theirs.summary.counts
        else:
            for moment in ("low", "high", "mean", "deviation"):
                assert getattr(mine.summary, moment) == pytest.approx(getattr(theirs.summary, moment), rel=1e-9)


def test_json_round_trip():
    """A profile comes back from JSON equal."""
    profile = Profile.of(MIXED, infer(MIXED))
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_batches_in_any_order_are_the_table():
    """Seven shards merge, in any order, to the counts, labels and moments of the table and to its quantiles (0.5 %)."""
    schema = infer(ADULT)
    whole = Profile.of(ADULT, schema)
    shards = [ADULT.slice(start, 2500) for start in range(0, ADULT.num_rows, 2500)]
    for order in (range(7), (6, 2, 0, 4, 1, 5, 3)):
        merged = Profile.of_batches((shards[i] for i in order), schema)
        assert merged.rows == whole.rows
        for mine, theirs in zip(merged.columns, whole.columns, strict=True):
            assert mine.nulls == theirs.nulls
            if isinstance(theirs.summary, Frequencies):
                assert mine.summary.counts == theirs.summary.counts
            else:
                points = theirs.summary.quantiles.values
                error = mine.summary.quantiles.below(points) - theirs.summary.quantiles.below(points)
                assert np.abs(error).max() < 0.005
                assert mine.summary.deviation == pytest.approx(theirs.summary.deviation, rel=1e-9)
    with pytest.raises(TableError, match="at least one batch"):
        Profile.of_batches([], schema)


def test_unlike_tables_do_not_merge():
    """Profiles of tables with other columns are refused."""
    other = MIXED.select(["n", "d"])
    with pytest.raises(SchemaError, match="merge only if"):
        Profile.of(MIXED, infer(MIXED)).merge(Profile.of(other, infer(other)))
    with pytest.raises(KeyError):
        Profile.of(other, infer(other))["c"]
