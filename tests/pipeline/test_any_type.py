"""Columns of any type, with each kind that a person may set, from the file to the export."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from odd import odd

from pipeline import columns, inspection, pictures
from pipeline.arrow.labels import labels
from pipeline.data import tables
from pipeline.decisions.drift import compare
from pipeline.errors import SchemaError
from pipeline.evaluation import evaluate
from pipeline.privacy.disclosure import Disclosure
from pipeline.profiles.reference import Reference
from pipeline.schema import ColumnSettings, Schema
from pipeline.settings import DriftSettings, EvaluationSettings, ModelSettings, RelationSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

pytestmark = pytest.mark.usefixtures("training")
MODEL = ModelSettings(latent=4, width=16, hidden=16, components=4)
TRAINING = TrainingSettings(epochs=1, batch=128, device="cpu")
NARROW = ("flag", "half")
"""Types with no room for fresh values, or with little."""


def settings(table: pa.Table, kind: str) -> dict[str, ColumnSettings]:
    """One kind for all odd columns."""
    return {name: ColumnSettings(kind=kind) for name in table.column_names if name != "group"}


def texts(array: pa.ChunkedArray) -> list[str | None]:
    """The values as texts."""
    return labels(array).dictionary_decode().to_pylist()


def through_parquet(table: pa.Table) -> pa.Table:
    """The table written and read again."""
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return pq.read_table(pa.BufferReader(sink.getvalue()))


def fit(table: pa.Table, schema: Schema, champion: Synthesizer | None = None, epochs: int = 1) -> Synthesizer:
    """A barely trained synthesizer."""
    training = TRAINING.model_copy(update={"epochs": epochs})
    held = table.slice(0, 60)
    return Synthesizer.fit(
        table.slice(60),
        held,
        schema,
        model=MODEL,
        training=training,
        relations=RelationSettings(find=False),  # every column follows from the group, which is another matter
        champion=champion,
        taken=table,
    )


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """The table as it comes from a file."""
    return through_parquet(odd())


@pytest.fixture(scope="module")
def schema(table: pa.Table) -> Schema:
    """All odd columns are categories."""
    return columns.infer(table, settings(table, "categorical"))


@pytest.fixture(scope="module")
def synthesizer(table: pa.Table, schema: Schema) -> Synthesizer:
    """Of categories."""
    return fit(table, schema)


def test_by_default_odd_columns_are_left_out_with_a_reason_each(table):
    """Columns that are not modelled by themselves do not block the others."""
    schema = columns.infer(table)
    assert {"tags", "place", "attributes", "raw", "hash", "point", "uuid"} <= set(schema.dropped)
    for left in schema.left_out:
        assert "kind = 'categorical', 'text' or 'identifier' keeps it" in left.why
    made = fit(table, schema).sample(10, seed=0)
    assert made.schema.names == list(schema.names)


def test_rare_values_of_any_type_are_withheld_before_anything_is_learned(table, schema):
    """A value of one row is removed from every column, counted, and replaced by a value from a row of its group."""
    rule = Disclosure.of(table, schema)
    after = rule.apply(table, seed=0)
    assert after.schema.equals(table.schema)
    after.validate(full=True)
    for name in table.column_names:
        before, now = texts(table[name]), texts(after[name])
        assert now[1:] == before[1:], name
        if before.count(before[0]) == 1:
            assert now[0] != before[0]
            assert now[0] in before[1:]
    withheld = {each.name: (each.labels, each.rows) for each in rule.withheld}
    assert withheld["tags"] == withheld["place"] == withheld["raw"] == withheld["half"] == (1, 1)


def test_categories_of_any_type_come_out_in_their_type_through_parquet(table, synthesizer):
    """The schema is that of the table, and every value is one that enough rows share."""
    made = synthesizer.sample(400, seed=1)
    made.validate(full=True)
    assert made.schema.equals(table.schema, check_metadata=True)
    again = through_parquet(made)
    assert again.schema.equals(table.schema)
    for name in table.column_names:
        real = texts(table[name])
        assert {real.count(text) >= 5 for text in set(texts(made[name]))} == {True}, name
        assert texts(again[name]) == texts(made[name])
        assert made[name].null_count < 200


def test_a_model_of_any_type_is_saved_without_rare_values_and_proves_itself(tmp_path, table, synthesizer):
    """Files are JSON and numbers, load to the same rows, and hold no value of one row."""
    synthesizer.save(tmp_path)
    loaded = Synthesizer.load(tmp_path)
    loaded.prove()
    assert loaded.sample(50, seed=2).equals(synthesizer.sample(50, seed=2))
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode("latin-1")
    for secret in ("tag-9", "Town 9", "o9-0", "c9-0", b"raw 9".hex(), "2010-01-01"):
        assert secret not in everything
    assert "tag-1-0" in everything


def test_everything_that_looks_at_categories_takes_any_type(table, schema, synthesizer):
    """Splits, digests, profiles, drift, evaluation, pictures, the ELBO of each column."""
    train, _, holdout = tables.split(table)
    assert tables.digest(table) == tables.digest(through_parquet(table))
    made = synthesizer.sample(table.num_rows, seed=0)
    options = EvaluationSettings(permutations=20, target="tags")
    found = evaluate(made, holdout=holdout, train=train, schema=schema, settings=options, seed=0)
    assert {each.name for each in found.columns} == set(table.column_names)
    assert found["utility"].value >= 0
    assert (
        evaluate(table, holdout=holdout, train=train, schema=schema, settings=options, seed=0)["shape_error"].value
        < 0.2
    )
    reference = Reference.of(table, schema)
    again = Reference.model_validate_json(reference.model_dump_json())
    same = compare(again, again.profile_of([table.slice(300)]), settings=DriftSettings())
    assert not same.drifted
    assert reference.profile["tags"].summary.counts['["tag-1-0",null,"tag-1-0",null]'] > 100
    other = table.filter(pa.array(np.array(texts(table["group"])) == "y"))
    moved = compare(again, again.profile_of([other]), settings=DriftSettings())
    assert {"tags", "place", "raw", "half"} <= {finding.column for finding in moved.findings if finding.drifted}
    for figure in (
        pictures.quality(holdout, made, schema, found),
        pictures.drift(reference.profile, again.profile_of([other]), moved, schema),
    ):
        assert pictures.png(figure)
    accuracy = {each.name: each.accuracy for each in synthesizer.elbo(holdout).columns}
    assert all(0 <= accuracy[name] <= 1 for name in table.column_names)


def test_a_warm_start_learns_new_values_of_any_type(table, schema, synthesizer):
    """New values get a place beside the known ones and are generated. Nothing else is generated."""
    newer = through_parquet(odd(seed=1, people=2))
    assert synthesizer.strange(newer)
    grown = fit(newer, columns.infer(newer, settings(newer, "categorical")), synthesizer)
    for name in newer.column_names:
        assert set(texts(grown.sample(400, seed=0)[name])) <= {*texts(table[name]), *texts(newer[name])}
    known = set(grown.labels["tags"].to_pylist())
    assert {'["tag-1-0",null,"tag-1-0",null]', '["tag-1-1",null,"tag-1-1",null]'} <= known
    assert synthesizer.schema.differences(newer.schema) == ()


@pytest.mark.parametrize("kind", ["text", "identifier"])
def test_made_up_values_of_any_type_keep_type_and_nulls_and_are_nobody_s(tmp_path, kind):
    """No value of 200 people is in a row or in a file of the model; identifiers are distinct if real ones are."""
    table = through_parquet(odd(people=200))
    chosen = settings(table, kind) | {name: ColumnSettings(kind="null") for name in NARROW}
    schema = columns.infer(table, chosen)
    model = fit(table, schema)
    model.save(tmp_path)
    Synthesizer.load(tmp_path).prove()
    made = model.sample(1_000, seed=0)
    assert made.schema.equals(table.schema)
    made.validate(full=True)
    assert made.slice(300, 50).equals(model.sample(50, seed=0, start=300))
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode("latin-1")
    for name in set(table.column_names) - {"group", *NARROW}:
        held, now = ([text for text in texts(rows[name]) if text is not None] for rows in (table, made))
        real = set(held)
        assert not real & set(now), name
        assert kind == "text" or len(set(now)) == len(now) or len(real) < len(held), name
        assert (made[name].null_count > 0) == (table[name].null_count > 0), name
        assert not any(text in everything for text in real if len(text) > 7), name
    for name in ("tags", "coded"):
        real, now = ({word for words in rows[name].to_pylist() for word in words or ()} for rows in (table, made))
        assert not real & now - {None}
        assert not any(word in everything for word in real - {None} if len(word) > 7)
    assert texts(through_parquet(made)["place"]) == texts(made["place"])


def test_identifiers_without_room_name_column_type_and_room(table):
    """The line comes when columns are inferred, before any training."""
    with pytest.raises(
        SchemaError, match=r"column 'flag' of type bool cannot .* room for \d+ fresh values, there is room"
    ):
        columns.infer(table, {"flag": ColumnSettings(kind="identifier")})


def test_inspection_shows_readable_examples_of_any_type(table, schema):
    """Every column has three examples, nested values as JSON, none of one row. A dropped column says why."""
    shown = {each.name: each for each in inspection.inspect(table, schema)}
    assert all(len(each.examples) == 3 for each in shown.values())
    assert all(text == "null" or text.startswith('["tag-') for text in shown["tags"].examples)
    assert shown["tags"].distinct == 4
    assert shown["tags"].withheld.text == "column 'tags': 1 rare label (1 row) withheld"
    made = {each.name: each for each in inspection.inspect(table, columns.infer(table, settings(table, "text")))}
    assert made["place"].sensitive
    assert all(text == "null" or text.startswith('{"city":"') for text in made["place"].examples)
    default = {each.name: each for each in inspection.inspect(table, columns.infer(table))}
    assert default["place"].kind == "drop"
    assert "cannot be modelled by themselves" in default["place"].why
    assert default["place"].distinct == 4


def test_files_of_odd_columns_that_differ_harmlessly_are_one_table(tmp_path: Path):
    """Lists without a value, structures and lists of wider numbers, bytes of wider offsets."""
    first = pa.table(
        {
            "tags": pa.array([["a"], None]),
            "attributes": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int32())),
            "places": pa.array([[{"x": 1, "y": "z"}], None]),
            "place": pa.array([{"x": 1}, None], pa.struct([("x", pa.int32())])),
            "raw": pa.array([b"a", None]),
        }
    )
    second = pa.table(
        {
            "tags": pa.array([[], []], pa.list_(pa.null())),
            "attributes": pa.array([[("a", None)], [("b", 2**40)]], pa.map_(pa.string(), pa.int64())),
            "places": pa.array([[{"x": 2, "y": None}], None]),
            "place": pa.array([{"x": 2**40}, None], pa.struct([("x", pa.int64())])),
            "raw": pa.array([b"b", b"b"], pa.large_binary()),
        }
    )
    for name, part in {"a": first, "b": second}.items():
        pq.write_table(part, tmp_path / f"{name}.parquet")
    whole = tables.read(tmp_path)
    assert whole["tags"].to_pylist() == [["a"], None, [], []]
    assert whole["place"].to_pylist() == [{"x": 1}, None, {"x": 2**40}, None]
    assert whole["raw"].to_pylist() == [b"a", None, b"b", b"b"]
    assert whole["attributes"].to_pylist() == [[("a", 1)], None, [("a", None)], [("b", 2**40)]]
    assert whole["places"].to_pylist() == [[{"x": 1, "y": "z"}], None, [{"x": 2, "y": None}], None]
    schema = columns.infer(whole, {name: ColumnSettings(kind="categorical") for name in whole.column_names})
    assert schema.differences(first.schema) != ()
    like = tables.load([tmp_path / "a.parquet"], like=whole.schema).table
    assert schema.differences(like.schema) == ()
