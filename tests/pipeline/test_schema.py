"""Schemas: inferred, overridden, compared, kept."""

from dataclasses import replace

import pyarrow as pa
import pytest
from pydantic import ValidationError
from samples import mixed

from pipeline import columns
from pipeline.errors import DamagedError, SchemaError, SettingsError
from pipeline.schema import ColumnSettings, Dropped, PrivacySettings, Schema


def test_kinds_are_inferred():
    """Every column of a mixed table gets its natural kind, and nulls are noticed (NaN is one)."""
    schema = columns.infer(mixed())
    kinds = {column.name: column.kind for column in schema}
    assert kinds == {
        "key": "identifier",
        "group": "categorical",
        "size": "numeric",
        "price": "numeric",
        "amount": "numeric",
        "day": "datetime",
        "seen": "datetime",
        "active": "categorical",
        "note": "categorical",
    }
    assert [column.name for column in schema if column.nullable] == ["price", "amount", "note"]
    assert "the name says so" in schema["key"].why


def test_json_keeps_the_arrow_schema_exactly():
    """Names, order, types, zones, dictionary encoding and both kinds of metadata survive JSON."""
    schema = columns.infer(mixed())
    again = Schema.from_json(schema.to_json())
    assert again.arrow.equals(schema.arrow, check_metadata=True)
    assert again.columns == schema.columns
    assert again.left_out == schema.left_out


def test_a_column_is_in_a_schema_once():
    """JSON of a schema with a column twice, or both kept and left out, is refused."""
    schema = columns.infer(mixed(), {"note": ColumnSettings(kind="drop")})
    twice = replace(schema, left_out=(*schema.left_out, *schema.left_out))
    both = replace(schema, left_out=(Dropped(name="key", why=""),))
    for wrong in (twice, both):
        with pytest.raises(DamagedError, match="expected column names that differ"):
            Schema.from_json(wrong.to_json())


def test_whether_values_differ_is_known():
    """A column of one value, with nulls or without, or of nulls alone does not vary. NaN is a null."""
    nan = float("nan")
    values = {"one": [1, 1, None], "two": [1, 2, None], "none": [None] * 3, "nan": [nan] * 3, "flag": [True] * 3}
    schema = columns.infer(pa.table({name: pa.array(own) for name, own in values.items()}))
    assert [column.name for column in schema if column.varies] == ["two"]


def test_differences_are_named():
    """Missing, new and retyped columns are each named; order, metadata and dictionary encoding are no difference."""
    schema = columns.infer(mixed())
    table = mixed().drop_columns(["size"]).append_column("extra", pa.array([1] * 600))
    table = table.set_column(table.schema.get_field_index("price"), "price", table["price"].cast(pa.string()))
    assert schema.differences(table.schema) == (
        "column 'size' is missing",
        "column 'extra' is new",
        "column 'price' has type string, expected double",
    )
    plain = mixed().select(mixed().column_names[::-1])
    plain = plain.set_column(plain.schema.get_field_index("group"), "group", plain["group"].cast(pa.string()))
    assert schema.differences(plain.replace_schema_metadata(None).schema) == ()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"nope": ColumnSettings()}, SettingsError, "'nope', expected one of key, group"),
        ({"size": ColumnSettings(kind="wave")}, SettingsError, "expected a kind of text, .* got 'wave'"),
        ({"group": ColumnSettings(kind="datetime")}, SchemaError, "'group' of type dictionary.* cannot be of kind"),
        ({"size": ColumnSettings(normalization="log")}, SettingsError, "expected a normalization of tokens, .* 'log'"),
        ({"note": ColumnSettings(nullable=False)}, SchemaError, "'note' is set to nullable = false but holds"),
    ],
)
def test_overrides_that_do_not_fit_are_refused(settings, error, message):
    """A wrong override is one clear line that names column, expectation and what came."""
    with pytest.raises(error, match=message):
        columns.infer(mixed(), settings)


def test_nulls_can_be_refused_but_not_asked_for():
    """A column of which nulls are refused may hold none, and none are made where there are none."""
    assert not columns.infer(mixed(), {"size": ColumnSettings(nullable=False)})["size"].nullable
    with pytest.raises(ValidationError, match="Input should be False"):
        ColumnSettings.model_validate({"nullable": True})


def test_overrides_are_obeyed():
    """Low-cardinality integers become categories on request, and a normal form can be fixed."""
    overrides = {"size": ColumnSettings(kind="categorical"), "price": ColumnSettings(normalization="quantile")}
    schema = columns.infer(mixed(), overrides)
    assert schema["size"].kind == "categorical"
    assert schema["price"].normalization == "quantile"


def test_a_column_that_cannot_be_modelled_is_left_out_and_blocks_nothing():
    """A list and a blob are left out with a reason each; a table of nothing else is refused."""
    lists, blobs = pa.array([[1], [2, 3]] * 5), pa.array([b"x", b"y"] * 5)
    schema = columns.infer(pa.table({"a": lists, "size": pa.array([1.5, 2.5] * 5), "blob": blobs}))
    assert (schema.names, schema.dropped) == (("size",), ("a", "blob"))
    assert schema.arrow.names == ["size"]
    assert all(left.why.startswith("values of type") and not left.chosen for left in schema.left_out)
    assert not schema.differences(pa.schema([("a", lists.type), ("size", pa.float64()), ("blob", pa.binary())]))
    with pytest.raises(SchemaError, match="expected at least one column to keep, got none of 1"):
        columns.infer(pa.table({"blob": blobs}))


def test_a_column_can_be_dropped_blanked_or_kept_as_public():
    """`drop` takes a column out of the schema, `null` keeps its name and type, and public labels have no least rows."""
    kinds = {"note": ColumnSettings(kind="drop"), "key": ColumnSettings(kind="categorical")}
    schema = columns.infer(mixed(), kinds | {"group": ColumnSettings(public=True)}, PrivacySettings(least_rows=7))
    assert schema.left_out == (Dropped(name="note", why="the settings say so", chosen=True),)
    assert (schema["group"].least_rows, schema["size"].least_rows) == (1, 7)
    assert columns.infer(mixed(), {"note": ColumnSettings(kind="null")}).arrow.field("note").type == pa.string()
    with pytest.raises(SchemaError, match="'key' is declared without nulls"):
        columns.infer(mixed(), {"key": ColumnSettings(kind="null")})
