"""`resynth inspect`: how a table would be taken, before anything is trained."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from customers import PERSONAL, customers, secrets
from small import Outcome

from flows.cli import main
from flows.settings import Settings


@pytest.fixture
def inspect(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """`resynth inspect` in a home of its own."""

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = main(["inspect", *map(str, arguments), "--home", str(tmp_path)])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Customers, and a column of lists."""
    table = customers("de", 600)
    path = tmp_path / "kunden.parquet"
    pq.write_table(table.append_column("Körbe", pa.array([[1, 2]] * 600)), path)
    return path


def test_every_column_is_told_with_its_kind_and_examples(inspect, source, tmp_path):
    """Personal columns are sensitive and made up, no example is real, and a list is left out with its reason."""
    outcome = inspect(source, "--json")
    assert outcome.code == 0
    assert outcome.answer["rows"] == 600
    found = {column["name"]: column for column in outcome.answer["columns"]}
    table = pq.read_table(source)
    assert [*found] == table.column_names
    assert all(found[name]["sensitive"] for name in table.column_names[:PERSONAL])
    assert found["Umsatz"]["kind"] == "numeric"
    assert (found["Umsatz"]["sensitive"], len(found["Umsatz"]["examples"])) == (False, 3)
    assert found["Körbe"]["kind"] == "drop"
    assert "cannot be modelled" in found["Körbe"]["why"]
    assert found["E-Mail"]["nulls"] == table["E-Mail"].null_count
    shown = {example for column in found.values() for example in column["examples"]}
    assert not shown & secrets(table)
    assert not (tmp_path / "mlruns").exists()


def test_dates_in_texts_are_shown_as_dates(inspect, tmp_path):
    """Examples are dates of the calendar, nothing is told to be made up, and the settings that are written agree."""
    days = np.datetime64("2021-01-01") + np.random.default_rng(0).permutation(900).astype("timedelta64[D]")
    path = tmp_path / "days.parquet"
    pq.write_table(pa.table({"day": days.astype(str), "x": np.arange(900) ** 2}), path)
    answer = inspect(path, "--json", "--write").answer
    (day, _) = answer["columns"]
    assert (day["form"], day["sensitive"]) == ("%Y-%m-%d", False)
    assert all(np.datetime64(example) <= np.datetime64("2023-06-19") for example in day["examples"])
    assert [each["sort"] for each in answer["assumptions"] if "day" in each["columns"]] == ["relation"]
    again = inspect(path, "--json").answer
    assert again["columns"][0] == day


def test_days_that_no_calendar_has_are_shown(inspect, tmp_path):
    """A far day of a database, or a day before the year 1, is a number of days in examples."""
    for first in (2_932_897, -800_000):
        path = tmp_path / "far.parquet"
        days = pa.array([first + i % 40 for i in range(400)], pa.int32()).cast(pa.date32())
        pq.write_table(pa.table({"k": np.arange(400) % 7, "day": days}), path)
        shown = inspect(path, "--json").answer["columns"][1]["examples"]
        assert all(first <= int(text) < first + 40 for text in shown)


def test_what_was_assumed_is_told_once_with_settings_that_overrule_it(inspect, source, tmp_path):
    """The output ends with a TOML document. A home with these settings assumes less, and no note repeats the list."""
    outcome = inspect(source)
    listed, _, document = outcome.out.partition("what resynth assumed")[2].partition("resynth.toml:\n")
    assert "e-mail addresses (E-Mail)" in listed
    assert "note: " not in outcome.out
    assert outcome.out.count("cannot be modelled by themselves: Körbe") == 1
    assert not secrets(pq.read_table(source)) & set(listed.replace(",", " ").split())
    before = {(each["sort"], *each["columns"]) for each in inspect(source, "--json").answer["assumptions"]}
    (tmp_path / "resynth.toml").write_text(f"seed = 3\n{document}")
    after = {(each["sort"], *each["columns"]) for each in inspect(source, "--json").answer["assumptions"]}
    named = {*tomllib.loads(document)["columns"]}
    assert {"E-Mail", "Körbe", "Kundennummer"} <= named
    assert not [
        each for each in after & before if named.intersection(each) and each[0] not in {"rare labels", "extremes"}
    ]


def test_a_written_relation_is_switched_off_by_deleting_a_comment_sign(inspect, tmp_path):
    """Relations are written as comments. Without its #, a relation is not kept, and the others are."""
    random = np.random.default_rng(0)
    net, tax = np.round(random.lognormal(3, 1, (2, 300)), 2)
    table = pa.table({"net": net, "tax": tax, "gross": np.round(net + tax, 2), "twice": net * 2})
    pq.write_table(table, tmp_path / "sales.parquet")
    before = inspect(tmp_path / "sales.parquet", "--write", "--json").answer["relations"]
    assert {"gross = net + tax", "twice = 2 · net"} <= {each["text"] for each in before}
    assert Settings.load(tmp_path).relations.off == ()
    file = tmp_path / "resynth.toml"
    file.write_text(file.read_text("utf-8").replace('# "gross = net + tax"', '"gross = net + tax"'), "utf-8")
    assert Settings.load(tmp_path).relations.off == ("gross = net + tax",)
    after = {each["text"] for each in inspect("--json").answer["relations"]}
    assert "gross = net + tax" not in after
    assert "twice = 2 · net" in after


def test_what_was_found_can_be_written_and_edited(inspect, source, tmp_path):
    """The written settings are those of the columns as they were taken; an existing file is left alone."""
    outcome = inspect(source, "--write")
    assert outcome.code == 0
    assert "settings written" in outcome.out
    settings = Settings.load(tmp_path)
    assert settings.data == source
    assert settings.columns["Körbe"].kind == "drop"
    assert settings.columns["Land"].kind == "categorical"
    again = inspect("--json")
    assert {c["kind"] for c in again.answer["columns"]} == {
        "identifier",
        "text",
        "datetime",
        "numeric",
        "categorical",
        "drop",
    }
    before = (tmp_path / "resynth.toml").read_bytes()
    assert tomllib.loads(before.decode())["privacy"]["least_rows"] == 5
    refused = inspect(source, "--write")
    assert refused.code == 2
    assert "expected no resynth.toml" in refused.err
    assert (tmp_path / "resynth.toml").read_bytes() == before


CHOSEN = """
[columns."E-Mail"]
fake = "name"
locale = "fr_FR"
[columns.Umsatz]
kind = "numeric"
[columns.Kundennummer]
fake = "phone"
kind = "identifier"
"""


def test_chosen_fakes_are_shown_and_written(inspect, source, tmp_path):
    """Examples are of the chosen sort, none is real, and the written settings choose the same again."""
    (tmp_path / "chosen.toml").write_text(CHOSEN)
    found = {c["name"]: c for c in inspect(source, "--config", tmp_path / "chosen.toml", "--json").answer["columns"]}
    mails, numbers = found["E-Mail"], found["Kundennummer"]
    assert (mails["kind"], mails["why"]) == ("text", "the settings say so: made-up names of persons (fr_FR)")
    assert all(re.fullmatch(r"null|[^\W\d_]+ [^\W\d_]+", text) for text in mails["examples"])
    assert (numbers["kind"], numbers["fake"], numbers["locale"]) == ("identifier", "phone", None)
    assert inspect(source, "--config", tmp_path / "chosen.toml", "--write").code == 0
    settings = Settings.load(tmp_path)
    assert settings.columns["E-Mail"].model_dump(exclude_unset=True) == {
        "kind": "text",
        "fake": "person",
        "locale": "fr_FR",
    }
    again = {c["name"]: c for c in inspect("--json").answer["columns"]}
    for name in ("E-Mail", "Kundennummer"):
        assert again[name]["examples"] == found[name]["examples"]


@pytest.mark.parametrize("verb", ["inspect", "run"])
@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ('fake = "emial"', "got 'emial'; near it: 'email'"),
        ('fake = "email"\nlocale = "ja_JP"', "expected a locale of de, en, fr"),
        ('fake = "job"\nlocale = "de_XX"', "expected a locale of Faker"),
        ('fake = "pyint"', "'pyint' makes values of type int"),
        ('locale = "de_DE"', "expected a fake beside locale"),
        ('fake = "email"\nkind = "numeric"', "expected kind text or identifier beside fake"),
    ],
)
def test_fakes_that_nobody_can_make_are_refused_before_anything_is_written(
    verb, chosen, message, source, tmp_path, capfd
):
    """One line and exit code 2, for every verb that reads the settings."""
    config = tmp_path / "wrong.toml"
    config.write_text(f'[columns."E-Mail"]\n{chosen}\n')
    before = sorted(tmp_path.iterdir())
    capfd.readouterr()
    code = main([verb, str(source), "--config", str(config), "--home", str(tmp_path)])
    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("resynth: column 'E-Mail': ")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(tmp_path.iterdir()) == before
