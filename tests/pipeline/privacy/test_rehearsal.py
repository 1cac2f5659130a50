"""Small tables are not copied."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline import columns
from pipeline.data import tables
from pipeline.privacy.rehearsal import Shrinkage, independent, rehearse
from pipeline.queries import anomaly
from pipeline.settings import RelationSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer


def small(rows: int, seed: int = 0) -> pa.Table:
    """A region, a score of three decimals that follows it, an age."""
    random = np.random.default_rng(seed)
    region = random.integers(0, 3, rows)
    return pa.table(
        {
            "region": np.array(["north", "south", "west"])[region],
            "score": (region * 10 + random.normal(0, 1, rows)).round(3),
            "age": random.integers(18, 80, rows),
        }
    )


@pytest.mark.parametrize("rows", [20, 100])
def test_generated_rows_of_a_tiny_table_are_hardly_ever_real_ones(rows):
    """Of 20 and of 100 rows at most 2 % of the generated ones are real (by chance as well), and columns hold."""
    table = small(rows)
    train, validation, _ = tables.split(table)
    model = Synthesizer.fit(
        train, validation, columns.infer(table), training=TrainingSettings(epochs=30), taken=table, seed=0
    )
    drawn = model.sample(2_000, seed=1)
    real = {tuple(row.values()) for row in table.to_pylist()}
    assert np.mean([tuple(row.values()) in real for row in drawn.to_pylist()]) <= 0.02
    assert set(drawn["region"].to_pylist()) == {"north", "south", "west"}
    if rows == 20:
        assert model.shrinkage.share == 1
        north = np.asarray(drawn["score"])[np.asarray(drawn["region"].to_pylist()) == "north"]
        assert abs(north.mean() - np.asarray(drawn["score"]).mean()) < 1  # columns are independent


def test_a_model_that_copies_is_taken_apart_and_one_that_does_not_is_left_alone():
    """The share follows the attack: 0 for fresh rows, 1 for the training rows themselves."""
    table, schema = small(300), columns.infer(small(300))

    def honest(half: pa.Table):
        return lambda rows: small(rows, seed=half.num_rows + 7)

    def thief(half: pa.Table):
        random = np.random.default_rng(0)
        return lambda rows: half.take(pa.array(random.integers(0, half.num_rows, rows)))

    assert rehearse(table, schema, honest, seed=0).share == 0
    found = rehearse(table, schema, thief, seed=0)
    assert found.share == 1
    assert found.auc > 0.75  # with the largest share that was tried
    assert found.copied > 0.2


def test_independent_columns_keep_their_values():
    """Every column has the values that it had, in another order."""
    table = small(200)
    mixed = independent(table, seed=0)
    for name in table.column_names:
        assert sorted(mixed[name].to_pylist()) == sorted(table[name].to_pylist())
    assert not mixed.equals(table)


@pytest.mark.usefixtures("training")
def test_rows_are_taken_apart_column_by_column_and_saved(tmp_path):
    """A share of 1 breaks the dependence of rows that a network has learned, keeps marginals, and survives saving."""
    table = small(600)
    training, relations = TrainingSettings(epochs=60), RelationSettings(find=False)  # the region follows from the score
    parts = table.slice(60), table.slice(0, 60)
    model = Synthesizer.fit(*parts, columns.infer(table), training=training, relations=relations, seed=0)
    assert model.shrinkage == Shrinkage()

    def spread(rows: pa.Table) -> float:
        score, region = np.asarray(rows["score"]), np.asarray(rows["region"].to_pylist())
        return float(np.std([score[region == name].mean() for name in ("north", "south", "west")]))

    whole = model.sample(8_192, seed=0)
    model.fitted = model.fitted._replace(shrinkage=Shrinkage(share=1.0))
    model.fitted = model.fitted._replace(ordinary=anomaly.ordinary(model.fitted, parts[1], parts[0]))
    apart = model.sample(8_192, seed=0)
    assert spread(whole) > 5
    assert spread(apart) < 0.5
    assert sorted(apart["region"].to_pylist()) == sorted(whole["region"].to_pylist())
    model.save(tmp_path / "model")
    assert Synthesizer.load(tmp_path / "model").sample(100, seed=0).equals(apart.slice(0, 100))
