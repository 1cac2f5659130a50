"""The synthesizer: exact schema, row i a function of (model, seed, i), portable, free of rows."""

import itertools
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from safetensors.numpy import load_file
from samples import mixed

from pipeline import columns
from pipeline.data import tables
from pipeline.errors import NotFoundError, SettingsError, TableError
from pipeline.randomness import BLOCK
from pipeline.settings import ModelSettings, RelationSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

MODEL = ModelSettings(width=64, hidden=32, components=32)
NONE = TrainingSettings(epochs=0)
TRAINING = TrainingSettings(epochs=20, batch=128, device="cpu", rate=4e-3)


def fit(table: pa.Table, seed: int = 0, **more) -> Synthesizer:
    """A synthesizer after a short training, every tenth row held out."""
    held = np.arange(table.num_rows) % 10 == 0
    parts = table.filter(pa.array(~held)), table.filter(pa.array(held))
    return Synthesizer.fit(*parts, columns.infer(table), model=MODEL, training=TRAINING, seed=seed, **more)


@pytest.fixture(scope="module")
def synthesizer(training: None) -> Synthesizer:
    """A synthesizer fitted to the mixed table of 3,000 rows."""
    return fit(mixed(3_000))


def test_generated_rows_have_the_exact_schema(synthesizer):
    """Names, order, types, nullability and both kinds of metadata are those of the training table."""
    assert synthesizer.sample(50, seed=0).schema.equals(mixed().schema, check_metadata=True)


def test_row_i_is_a_function_of_seed_and_i(synthesizer):
    """Any window of a dataset, even across blocks, equals the same rows of the whole. Another seed differs."""
    whole = synthesizer.sample(BLOCK + 300, seed=1)
    assert synthesizer.sample(500, seed=1, start=BLOCK - 200).equals(whole.slice(BLOCK - 200, 500))
    assert synthesizer.sample(10, seed=1).equals(whole.slice(0, 10))
    assert not synthesizer.sample(10, seed=2).equals(whole.slice(0, 10))


def test_rows_do_not_depend_on_the_number_of_cores(synthesizer):
    """Blocks are generated at the same time, and are the same rows in the same order."""
    before = pa.cpu_count()
    try:
        pa.set_cpu_count(1)
        alone = synthesizer.sample(5 * BLOCK + 7, seed=4)
        pa.set_cpu_count(3)
        assert synthesizer.sample(5 * BLOCK + 7, seed=4).equals(alone)
    finally:
        pa.set_cpu_count(before)


def test_the_structure_of_the_table_is_learned(synthesizer):
    """The dependence of columns is kept: size follows group, and notes are missing just for group "c"."""
    table = synthesizer.sample(4_000, seed=3)
    group = np.asarray(table["group"].to_pylist())
    size = table["size"].to_numpy()
    expected = {"a": (1, 2), "b": (5, 6), "c": (9, 10)}
    right = np.mean([low <= s <= high for s, (low, high) in zip(size, (expected[g] for g in group), strict=True)])
    assert right > 0.97
    missing = np.asarray(table["note"].is_null())
    assert np.mean(missing == (group == "c")) > 0.97
    assert np.mean(group == "a") == pytest.approx(0.6, abs=0.06)


def test_identifiers_are_fresh(synthesizer):
    """No generated key was a training key, and none repeats."""
    keys = synthesizer.sample(5_000, seed=0)["key"]
    assert len(pc.unique(keys)) == 5_000
    assert not set(keys.to_pylist()) & set(mixed(3_000)["key"].to_pylist())


def test_identifiers_of_held_out_rows_are_not_made_either():
    """A key that only the hold-out has is never generated, because fresh keys avoid all real rows."""
    table = mixed(600)
    fitted = Synthesizer.fit(
        table.slice(0, 300),
        table.slice(300, 50),
        columns.infer(table),
        model=MODEL,
        training=TrainingSettings(epochs=1, device="cpu"),
        taken=table,
    )
    assert not set(fitted.sample(1_000, seed=0)["key"].to_pylist()) & set(table["key"].to_pylist())


def test_extremes_of_validation_rows_are_within_reach():
    """Normalization also knows the validation rows: a stand-in for their largest value can be generated."""
    table = pa.table({"x": np.append(np.random.default_rng(0).normal(size=2_000), [50.0])})
    fitted = Synthesizer.fit(
        table.slice(0, 1_900),
        table.slice(1_900),
        columns.infer(table),
        model=MODEL,
        training=TrainingSettings(epochs=2, device="cpu"),
    )
    assert pc.max(fitted.sample(50_000, seed=0)["x"]).as_py() == 49.5  # a single row's extreme is not shown


def test_saved_and_loaded_it_generates_the_same_rows(synthesizer, tmp_path):
    """Loading from safetensors and JSON reproduces rows, history and encodings; no other file is written."""
    synthesizer.save(tmp_path)
    again = Synthesizer.load(tmp_path)
    assert again.sample(300, seed=4).equals(synthesizer.sample(300, seed=4))
    assert again.history == synthesizer.history
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_the_files_hold_no_row(synthesizer, tmp_path):
    """No array is as long as the table, and no identifier of the training data is in the files."""
    synthesizer.save(tmp_path)
    for file in tmp_path.glob("*.safetensors"):
        assert all(2_700 not in array.shape for array in load_file(file).values())
    text = json.loads((tmp_path / "synthesizer.json").read_text())
    assert "2345" not in json.dumps(text["codecs"][0])


@pytest.mark.usefixtures("training")
def test_a_seed_reproduces_fit_and_sample():
    """Two fits with one seed generate equal rows; another seed gives others."""
    table = mixed(400)
    first, second, other = (fit(table, seed).sample(100, seed=0) for seed in (0, 0, 1))
    assert first.equals(second)
    assert not first.equals(other)


def test_the_model_describes_held_out_rows(synthesizer):
    """ELBO = reconstruction − KL, below the importance-weighted bound; columns add up to the reconstruction."""
    report = synthesizer.elbo(mixed(400, seed=8))
    assert report.elbo == pytest.approx(report.reconstruction - report.kl)
    assert report.importance_weighted > report.elbo
    assert sum(column.cross_entropy for column in report.columns) == pytest.approx(-report.reconstruction, rel=1e-5)
    assert report.kl > 0.5 * synthesizer.fitted.recipe.free_bits  # most of the stated rate is used on new rows too
    assert report.active_units >= 4


def test_rows_come_back_from_their_own_latent(synthesizer):
    """A held-out row decoded from its own z is nearer to itself than a row from the prior is."""
    table = mixed(500, seed=8)
    again = synthesizer.reconstruct(table, seed=0)
    prior = synthesizer.sample(500, seed=0)
    size = table["size"].to_numpy()
    assert np.mean(again["size"].to_numpy() == size) > 1.3 * np.mean(prior["size"].to_numpy() == size)


def test_points_between_two_rows_change_columns_one_after_the_other(training):
    """On the line in z between rows of two groups, decoded with one noise, the group changes once and for good."""
    synthesizer = fit(mixed(3_000), relations=RelationSettings(find=False))  # the group is a column of the network
    table = mixed(400, seed=5)
    group = np.asarray(table["group"].to_pylist())
    z = synthesizer.encode(table)
    first, last = z[group == "a"][:40], z[group == "b"][:40]
    count = min(len(first), len(last))
    steps = [
        synthesizer.decode((1 - t) * first[:count] + t * last[:count], seed=3)["group"].to_numpy()
        for t in np.linspace(0, 1, 9)
    ]
    assert np.mean(steps[0] == "a") > 0.9
    assert np.mean(steps[-1] == "b") > 0.9
    changes = sum((one != other).astype(int) for one, other in itertools.pairwise(steps))
    assert np.mean(changes) < 2
    assert synthesizer.decode(z, seed=0).equals(synthesizer.reconstruct(table, seed=0))


@pytest.mark.usefixtures("training")
def test_columns_with_unknown_labels_are_named():
    """They are named for any number of labels and any encoding. Other numbers and new nulls are no unknown labels."""
    codes = [f"c{i}" for i in range(600)]
    numbers = np.random.default_rng(0).permutation(600)
    table = pa.table({"x": numbers, "code": codes, "flag": [True] * 600, "none": pa.nulls(600, pa.string())})
    fitted = fit(pa.concat_tables([table] * 5))
    assert fitted.strange(table) == ()
    encoded = table.set_column(1, "code", table["code"].dictionary_encode()).slice(0, 50)
    assert fitted.strange(encoded) == ()
    other = pa.table({"x": [9_999], "code": ["c600"], "flag": [False], "none": ["a"]})
    assert fitted.strange(pa.concat_tables([table, other])) == ("code", "flag", "none")
    nulls = pa.table({field.name: pa.nulls(2, field.type) for field in table.schema})
    assert fitted.strange(nulls) == ()


def test_what_a_row_is_decoded_to_does_not_depend_on_how_many_there_are(synthesizer):
    """The first rows are the same for a few rows, many, and more than a block. A z in another row has other noise."""
    z = np.repeat(synthesizer.encode(mixed(1)), BLOCK + 20, axis=0)
    whole = synthesizer.decode(z, seed=3)
    for rows in (1, 10, BLOCK + 10):
        assert synthesizer.decode(z[:rows], seed=3).equals(whole.slice(0, rows))
    assert len(pc.unique(whole["price"])) > 10


@pytest.mark.parametrize("form", ["tokens", "quantile"])
def test_rows_of_every_normal_form_are_decoded_one_by_one(form):
    """This holds for real forms that are kept within the ends of training, and for columns with two variables."""
    random = np.random.default_rng(0)
    table = pa.table({"x": random.normal(size=2_000), "code": [f"{i}" for i in random.zipf(1.3, 2_000) % 900]})
    schema = columns.infer(table)
    fixed = schema.columns[0].model_copy(update={"normalization": form})
    schema = type(schema)((fixed, schema.columns[1]), schema.arrow)
    fitted = Synthesizer.fit(table.slice(200), table.slice(0, 200), schema, model=MODEL, training=NONE, seed=0)
    z = fitted.encode(table.slice(0, 50))
    assert fitted.decode(z[:7], seed=0).equals(fitted.decode(z, seed=0).slice(0, 7))


def test_no_rows_are_decoded_to_no_rows(synthesizer):
    """An empty table comes back empty, with the exact schema. It has no bound."""
    none = mixed().slice(0, 0)
    for made in (synthesizer.reconstruct(none), synthesizer.decode(synthesizer.encode(none))):
        assert made.num_rows == 0
        assert made.schema.equals(none.schema)
    with pytest.raises(TableError, match=r"^expected at least one row to score, got none$"):
        synthesizer.elbo(none)


def test_decode_refuses_a_z_of_another_space(synthesizer):
    """The error names the shape that was expected and the one that came."""
    with pytest.raises(TableError, match=r"expected z of shape \[rows, 12\], got \[3, 5\]"):
        synthesizer.decode(np.zeros((3, 5), np.float32), seed=0)


@pytest.mark.usefixtures("training")
@pytest.mark.parametrize("form", ["quantile", "zscore", "minmax", "robust"])
def test_every_normal_form_trains_and_generates(form):
    """A number in each real-valued form, with nulls, is learned well enough to keep mean and null rate."""
    random = np.random.default_rng(0)
    x = np.where(random.random(2_000) < 0.2, np.nan, random.normal(50, 5, 2_000))
    table = pa.table({"x": pa.array(x, from_pandas=True), "c": pa.array(random.choice(["u", "v"], 2_000))})
    schema = columns.infer(table)
    fixed = schema.columns[0].model_copy(update={"normalization": form})
    schema = type(schema)((fixed, schema.columns[1]), schema.arrow)
    made = Synthesizer.fit(table.slice(200), table.slice(0, 200), schema, model=MODEL, training=TRAINING).sample(
        4_000, seed=0
    )
    new = made["x"].to_numpy()
    assert np.isnan(new).mean() == pytest.approx(0.2, abs=0.05)
    assert np.nanmean(new) == pytest.approx(50, abs=1)
    assert np.nanmin(new) >= np.nanmin(x)
    assert np.nanmax(new) <= np.nanmax(x)


ODD = {
    "constant": pa.table({"x": [3] * 60}),
    "all null": pa.table({"x": pa.nulls(60, pa.float64()), "y": [1, 2] * 30}),
    "identifier only": pa.table({"id": np.arange(60)}),
    "two rows": pa.table({"x": [0, 1] * 30}),
    "skew": pa.table({"x": [0] * 9_999 + [1]}),
    "huge integers": pa.table({"x": np.arange(400) * 10**15 % (7 * 10**15 + 1)}),
    "denormal": pa.table({"x": np.array([5e-324, 0.0, 1e-310, 1.0] * 30)}),
    "bool": pa.table({"x": [True, False, None] * 30}),
    "null type": pa.table({"x": pa.nulls(60), "y": [1, 2] * 30}),
    "half floats": pa.table({"x": pa.array(np.arange(60, dtype=np.float16))}),
    "nanoseconds": pa.table({"x": pa.array(np.arange(60) * 55_401_152_563, pa.time64("ns"))}),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_tables_train_and_generate(case, tmp_path):
    """Constants, nulls, identifiers, extremes: all train and generate rows of their schema and range."""
    table = ODD[case]
    assert sum(part.num_rows for part in tables.split(table)) == table.num_rows
    synthesizer = fit(table)
    synthesizer.save(tmp_path)
    made = Synthesizer.load(tmp_path).sample(500, seed=0)
    assert made.schema.equals(table.schema)
    for name in table.column_names:
        if name != "id":
            real, new = set(table[name].to_pylist()), set(made[name].to_pylist())
            assert new <= real or (min(new) >= min(real) and max(new) <= max(real))


def test_a_table_read_twice_has_one_digest():
    """Every supported type can be digested, nanoseconds of a day and half floats included."""
    for table in ODD.values():
        assert tables.digest(table) == tables.digest(table.slice(0))


def test_bad_requests_are_refused(synthesizer, tmp_path):
    """No rows to fit, no rows asked for, nothing to load."""
    with pytest.raises(TableError, match="at least one training row"):
        Synthesizer.fit(mixed(0), mixed(0), columns.infer(mixed()))
    with pytest.raises(SettingsError, match="rows ≥ 1"):
        synthesizer.sample(0, seed=0)
    with pytest.raises(NotFoundError, match="found none in"):
        Synthesizer.load(tmp_path)
