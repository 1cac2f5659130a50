"""The settings `fake` and `locale` of a column: which columns can have them, and what a model keeps of them."""

import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import columns
from pipeline.columns import Encoded
from pipeline.errors import DamagedError, SchemaError, SettingsError
from pipeline.schema import Column, ColumnSettings, Schema
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

ROWS = 600
NUMBERS = [f"EMP-{number:05d}" for number in range(ROWS)]
TABLE = pa.table(
    {
        "contact": NUMBERS,
        "large": pa.array(NUMBERS, pa.large_string()),
        "few": pa.array([f"AG-{number % 12:02d}" for number in range(ROWS)]).dictionary_encode(),
        "number": pa.array(range(1000, 1000 + ROWS), pa.int64()),
        "short": pa.array(range(ROWS), pa.int16()),
        "day": pa.array(range(ROWS), pa.int32()).cast(pa.date32()),
        "price": np.arange(ROWS) / 4,
        "tags": pa.array([["a"]] * ROWS),
    }
)


def inferred(name: str, **chosen: str | None) -> Schema:
    """The schema of one column with settings."""
    return columns.infer(TABLE.select([name]), {name: ColumnSettings(**chosen)})


def made(name: str, rows: int = 1_000, **chosen: str | None) -> pa.Array:
    """Made-up values of a column with settings."""
    codec = columns.fit(TABLE.select([name]), inferred(name, **chosen))[name]
    return codec.decode(Encoded((), np.arange(rows)))


@pytest.mark.parametrize("name", ["contact", "large", "few"])
def test_texts_of_every_encoding_are_made_up_as_chosen(name):
    """Strings, large strings and dictionaries hold addresses, no real value, and as many different ones as before."""
    values = made(name, fake="email")
    assert values.type == TABLE[name].type
    texts = values.to_pylist()
    assert all(re.fullmatch(r"[a-z.]+@example\.(com|org|net)", text) for text in texts)
    assert not set(texts) & set(TABLE[name].to_pylist())
    assert (8 <= len(set(texts)) <= 16) if name == "few" else len(set(texts)) == 1_000


def test_the_reason_says_what_is_made_up():
    """A fake makes a column a text, says so, and an everyday word is the shape that it means."""
    column = inferred("contact", fake="email")["contact"]
    assert (column.kind, column.why) == ("text", "the settings say so: made-up e-mail addresses")
    column = inferred("contact", fake="job", locale="de_DE")["contact"]
    assert column.why == "the settings say so: made-up values of Faker's 'job' (de_DE)"
    column = inferred("number", fake="phone", kind="identifier")["number"]
    assert (column.kind, column.why) == ("identifier", "the settings say so: made-up telephone numbers")
    assert inferred("contact", fake="name")["contact"].fake == "person"
    assert Schema.from_json(inferred("few", fake="job").to_json()) == inferred("few", fake="job")


@pytest.mark.parametrize("fake", ["email", "uuid", "url", "user name", "ip", "license_plate"])
def test_chosen_identifiers_all_differ(fake):
    """Keys of a shape that has enough values are unique in as many rows as the table has."""
    assert len(made("contact", ROWS, fake=fake, kind="identifier").unique()) == ROWS


@pytest.mark.parametrize(("fake", "room"), [("person", "0"), ("first name", "0"), ("job", r"\d{3}")])
def test_identifiers_without_room_are_refused(fake, room):
    """The line says how many different keys there can be and how many are needed."""
    message = rf"column 'contact' .*fake = '{fake}' .*expected room for 600 fresh values, there is room for {room}$"
    with pytest.raises(SchemaError, match=message):
        inferred("contact", fake=fake, kind="identifier")


@pytest.mark.parametrize(
    ("name", "fake", "message"),
    [
        ("day", "email", r"column 'day' of type date32\[day\] cannot hold made-up e-mail addresses: expected strings"),
        ("price", "phone", "'price' of type double cannot hold made-up telephone numbers: .*integers for phone, card"),
        ("tags", "job", "'tags' of type list<.*> cannot hold made-up values of Faker's 'job': expected strings"),
        ("number", "email", "'number' of type int64 cannot hold made-up e-mail addresses: expected strings"),
        ("short", "card", "'short' of type int16 .* expected room for 16 digits, there is room for 4"),
    ],
)
def test_columns_of_other_types_are_refused(name, fake, message):
    """The line has the type and what was expected."""
    with pytest.raises(SchemaError, match=message) as caught:
        inferred(name, fake=fake)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"locale": "de_DE"}, "column 'contact': expected a fake beside locale = 'de_DE', got none"),
        ({"fake": "email", "kind": "categorical"}, "expected kind text or identifier beside fake, got 'categorical'"),
        ({"fake": "email", "kind": "drop"}, "expected kind text or identifier beside fake, got 'drop'"),
        ({"fake": "emial"}, "column 'contact': .*near it: 'email'"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(chosen, message):
    """A locale without a fake, a fake of a modelled column, and a fake that does not exist are one line each."""
    with pytest.raises(SettingsError, match=message):
        inferred("contact", **chosen)


def test_names_beside_a_chosen_column_are_kept_clear_of():
    """A column of names without hints is one of names if the settings say so: no made-up value has a word of them."""
    names = pa.array(
        [f"{first} {last}" for first in ("Sigfried", "Ottokar") for last in ("Zobel", "Adler", "Klee")] * 50
    )
    table = pa.table({"x": names, "contact": [f"EMP-{n % 40}" for n in range(300)]})
    schema = columns.infer(table, {"x": ColumnSettings(fake="person"), "contact": ColumnSettings(fake="last_name")})
    codec = columns.fit(table, schema)["contact"]
    words = {text.lower() for text in codec.decode(Encoded((), np.arange(5_000))).to_pylist()}
    assert not words & {"zobel", "adler", "klee"}


def test_another_choice_is_another_rule():
    """A model made under one choice does not serve under another."""
    table = TABLE.select(["contact", "price"])
    schemas = [
        columns.infer(table, {"contact": ColumnSettings(**chosen)})
        for chosen in ({"fake": "email"}, {"fake": "job"}, {"fake": "email", "locale": "de_DE"}, {"kind": "text"})
    ]
    made = Synthesizer.fit(table, schema=schemas[0], training=TrainingSettings(epochs=0))
    assert made.other_rules(schemas[0]) == ()
    for schema in schemas[1:]:
        assert made.other_rules(schema) == ("column 'contact': the settings choose other made-up values",)
        assert made.differences(schema) == made.other_rules(schema)


@pytest.mark.usefixtures("processes")
def test_a_loaded_model_makes_the_same_values_without_faker(tmp_path):
    """A process that only loads a model and generates rows never imports Faker."""
    table = TABLE.select(["contact", "large", "few", "number", "price"])
    chosen = {
        "contact": ColumnSettings(fake="name", locale="de_DE"),
        "large": ColumnSettings(fake="license_plate", locale="de_DE", kind="identifier"),
        "few": ColumnSettings(fake="job"),
        "number": ColumnSettings(fake="phone"),
    }
    model, training = ModelSettings(width=16, hidden=16, components=4), TrainingSettings(epochs=1)
    made = Synthesizer.fit(table, schema=columns.infer(table, chosen), model=model, training=training)
    made.save(tmp_path / "model")
    code = """
import sys
from pathlib import Path
from pipeline import Synthesizer
from pyarrow import parquet
parquet.write_table(Synthesizer.load(Path(sys.argv[1])).table(500, seed=0), sys.argv[2])
print(sorted(name for name in sys.modules if name.split(".")[0] == "faker"))
"""
    places = [str(tmp_path / "model"), str(tmp_path / "rows.parquet")]
    done = subprocess.run([sys.executable, "-c", code, *places], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    rows = pq.read_table(tmp_path / "rows.parquet")
    assert rows.equals(made.table(500, seed=0))
    assert len(rows["large"].unique()) == 500
    assert not set(rows["number"].to_pylist()) & set(TABLE["number"].to_pylist())


def test_a_damaged_model_does_not_put_words_into_integers():
    """Values of Faker in an integer column are refused when a model is loaded."""
    codec = columns.fit(TABLE.select(["contact"]), inferred("contact", fake="job"))["contact"]
    json, _ = codec.state()
    loaded = type(codec).load(json, {}, pa.string())
    assert loaded.decode(Encoded((), np.arange(9))).equals(codec.decode(Encoded((), np.arange(9))))
    with pytest.raises(DamagedError, match="codes for integers"):
        type(codec).load(json, {}, pa.int64())


def test_a_column_remembers_what_was_chosen():
    """A schema of the library may name a fake by itself."""
    column = Column(name="contact", kind="text", nullable=False, fake="url", locale="fr_FR")
    codec = columns.fit(TABLE.select(["contact"]), Schema((column,), TABLE.select(["contact"]).schema))["contact"]
    assert codec.decode(Encoded((), np.arange(1)))[0].as_py().startswith("https://www.example.")
