"""Warm start: what the champion generates without training, and what a short training adds."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from samples import mixed

from pipeline import columns
from pipeline.columns import Novel
from pipeline.continuation import SHARE
from pipeline.errors import SchemaError
from pipeline.models.vae import VAE
from pipeline.schema import Schema
from pipeline.settings import ModelSettings, RelationSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

MODEL = ModelSettings(width=64, hidden=32, components=32)
TRAINING = TrainingSettings(epochs=20, batch=128, device="cpu", rate=4e-3)
PLAIN = RelationSettings(find=False)  # so that every column is one of the network
NONE = TRAINING.model_copy(update={"epochs": 0})


def drifted(rows: int = 3_000, seed: int = 5) -> pa.Table:
    """The mixed table with a new group "d" of size 20 in a fifth of the rows, whose notes say "z", and new nulls."""
    table, random = mixed(rows, seed), np.random.default_rng(seed)
    new = random.random(rows) < 0.2
    group = np.where(new, "d", np.asarray(table["group"].to_pylist()))
    size = pa.array(np.where(new, 20, table["size"].to_numpy()), pa.int16())
    note = np.where(new, "z", np.asarray(table["note"].to_pylist(), dtype=object))
    active = pa.array(table["active"].to_pylist(), mask=random.random(rows) < 0.1)
    for name, values in {"group": pa.array(group), "size": size, "note": pa.array(note), "active": active}.items():
        i = table.column_names.index(name)
        table = table.set_column(i, table.schema.field(name), values.cast(table.schema.field(name).type))
    return table


def warm(champion: Synthesizer, table: pa.Table, training=TRAINING, novel: Novel = "extend", seed=1) -> Synthesizer:
    """A warm start on a table, every tenth row held out."""
    held = np.arange(table.num_rows) % 10 == 0
    parts = table.filter(pa.array(~held)), table.filter(pa.array(held))
    schema = columns.infer(table)
    return Synthesizer.fit(*parts, schema, training=training, champion=champion, novel=novel, seed=seed)


@pytest.fixture(scope="module")
def champion(training: None) -> Synthesizer:
    """A synthesizer fitted to the mixed table of 3,000 rows."""
    table = mixed(3_000)
    parts = table.slice(300), table.slice(0, 300)
    return Synthesizer.fit(*parts, columns.infer(table), model=MODEL, training=TRAINING, relations=PLAIN)


@pytest.fixture(scope="module")
def grown(champion) -> Synthesizer:
    """A warm start on the drifted table: for four seeds tried, notes are right in .92 to .93 of the rows."""
    return warm(champion, drifted(), TRAINING.model_copy(update={"epochs": 120}))


def test_untrained_on_known_values_it_generates_what_the_champion_generates(champion):
    """With zero epochs on rows that the champion knows, nothing changes, key column included, whatever the seed."""
    again = warm(champion, mixed(3_000).slice(300), NONE)
    assert again.sample(2_000, seed=3).equals(champion.sample(2_000, seed=3))
    assert again.history == ()


def test_untrained_on_new_values_it_still_knows_the_old_ones(champion):
    """With zero epochs on a drifted table, new labels may occur, and other rows are nearly the champion's."""
    again, before = warm(champion, drifted(), NONE).sample(4_000, seed=3), champion.sample(4_000, seed=3)
    group, size = np.asarray(again["group"].to_pylist()), again["size"].to_numpy()
    assert 0 < np.mean(group == "d") < 0.25
    known = (group != "d") & (size < 20)
    assert np.mean(group[known] == np.asarray(before["group"].to_pylist())[known]) > 0.9
    assert np.mean(size[known] == before["size"].to_numpy()[known]) > 0.9


def test_a_short_training_learns_what_is_new_and_forgets_nothing(grown):
    """The new group has its size and notes, the old groups theirs; new nulls come, and no invented label."""
    table = grown.sample(4_000, seed=3)
    group, size = np.asarray(table["group"].to_pylist()), table["size"].to_numpy()
    assert np.mean(group == "d") == pytest.approx(0.2, abs=0.05)
    assert np.mean(size[group == "d"] == 20) > 0.9
    assert np.mean(size[group == "a"] <= 2) > 0.95
    note = np.asarray(table["note"].to_pylist(), dtype=object)
    assert np.mean(note[group == "d"] == "z") > 0.9
    assert table["active"].null_count / 4_000 == pytest.approx(0.1, abs=0.03)
    assert set(pc.unique(table["group"]).to_pylist()) <= {"a", "b", "c", "d"}


def test_a_warm_start_is_short_and_ahead_of_a_fresh_start_of_its_length(champion):
    """It trains its share of the epochs, and describes held-out rows better than as many epochs from nothing.

    The codecs are the same in both, so the ELBOs are on one scale.
    """
    short, test = TRAINING.model_copy(update={"epochs": 12}), drifted(1_000, seed=9)
    untrained = VAE(champion.vae.layout, champion.vae.shape)
    started, fresh = (
        warm(Synthesizer(champion.fitted._replace(vae=vae)), drifted(), short) for vae in (champion.vae, untrained)
    )
    assert len(started.history) == len(fresh.history) == math.ceil(12 * SHARE) / 2 + 1
    assert started.elbo(test).elbo > fresh.elbo(test).elbo + 1


def test_it_is_saved_and_loaded_like_any_other(grown, tmp_path):
    """Rows and history survive, in the exact schema of the new table."""
    grown.save(tmp_path)
    again = Synthesizer.load(tmp_path)
    assert again.sample(300, seed=4).equals(grown.sample(300, seed=4))
    assert again.history == grown.history
    assert again.sample(5, seed=0).schema.equals(drifted(5).schema, check_metadata=True)


def test_the_champion_is_left_as_it_is(champion):
    """A warm start changes neither the champion's weights nor its codecs."""
    before = champion.sample(500, seed=0)
    warm(champion, drifted(600), TRAINING.model_copy(update={"epochs": 4}))
    assert champion.sample(500, seed=0).equals(before)


def test_keys_stay_fresh(grown):
    """No generated key is one of either table."""
    keys = set(grown.sample(2_000, seed=0)["key"].to_pylist())
    assert not keys & (set(mixed(3_000)["key"].to_pylist()) | set(drifted()["key"].to_pylist()))


def test_new_labels_can_be_bucketed_or_refused(champion):
    """In a bucket, new labels of a column share one symbol and still come; refused, they end the training."""
    made = warm(champion, drifted(), NONE, "bucket").sample(2_000, seed=0)
    assert "z" in pc.unique(made["note"]).to_pylist()
    with pytest.raises(SchemaError, match="column 'group': expected known labels only, got 1 new ones"):
        warm(champion, drifted(), NONE, "refuse")


def test_other_columns_are_refused_by_name(champion):
    """A missing, new, retyped or reordered column, and a column of another kind, cannot be matched."""
    table = mixed(600)
    others = {
        "column 'price' is missing": table.drop_columns(["price"]),
        "column 'extra' is new": table.append_column("extra", table["size"]),
        "column 'size' has type int32": table.set_column(2, "size", table["size"].cast(pa.int32())),
        "the columns are in another order": table.select(table.column_names[::-1]),
    }
    for message, other in others.items():
        with pytest.raises(SchemaError, match=f"warm start: expected the champion's columns; {message}"):
            warm(champion, other)
    schema = columns.infer(table)
    fixed = [c.model_copy(update={"kind": "categorical"}) if c.name == "size" else c for c in schema]
    other = Schema(tuple(fixed), schema.arrow)
    assert champion.differences(other) == ("column 'size' is categorical, expected numeric",)
    assert champion.differences(schema) == ()


def test_columns_that_were_constant_come_alive():
    """A champion of constants has no network, one with a constant has no variable for it: both can be continued."""
    constant = pa.table({"x": [3] * 200, "y": [1, 2] * 100})
    varied = pa.table({"x": [3, 4] * 100, "y": [1, 2] * 100})
    for part in (["x"], ["x", "y"]):
        first, second = constant.select(part), varied.select(part)
        champion = Synthesizer.fit(first, first.slice(0, 20), columns.infer(first), model=MODEL, training=TRAINING)
        made = warm(champion, second).sample(1_000, seed=0)
        assert np.mean(made["x"].to_numpy() == 4) == pytest.approx(0.5, abs=0.1)


def test_a_table_outgrows_the_network_that_a_warm_start_would_keep() -> None:
    """It does at twice the components of the prior, or at twice the width. Sizes fixed by the settings never count."""
    table, automatic = mixed(1_300), ModelSettings()
    small = Synthesizer.fit(
        table.slice(300), table.slice(0, 300), columns.infer(table), model=automatic, training=NONE
    )  # width 128, 31 components
    assert small.outgrown(1_000, automatic) == small.outgrown(1_900, automatic) == ()
    assert small.outgrown(2_000, automatic) == ("2,000 training rows ask for a larger network than the champion's",)
    assert small.outgrown(5_000, ModelSettings(components=40))  # the full width, from 4,000 rows on
    assert small.outgrown(5_000, ModelSettings(width=128, hidden=64, components=40)) == ()
