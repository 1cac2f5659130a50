"""Mistakes that people make at the command line, and the lines that they should read.

`benchmarks/mistakes` times each of them as a process; `tests/flows/cli/test_mistakes.py` holds them to their lines.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

MODEL = "people"


class Mistake(NamedTuple):
    """A mistake.

    Attributes:
        arguments: The arguments of the command, in a directory that `ground` has made.
        says: What the line must say, among other things.
        settings: The settings file of the directory.
    """

    arguments: str
    says: tuple[str, ...]
    settings: str = ""


def setting(text: str, *says: str, verb: str = "run people.parquet") -> Mistake:
    """A mistake in the settings."""
    return Mistake(verb, says, text)


MISTAKES: Mapping[str, Mistake] = {
    "a verb": Mistake("rnu people.parquet", ("expected a command", "did you mean run?", "verify")),
    "no verb": Mistake("--rows 3", ("expected a command before any option", "inspect")),
    "the verb help": Mistake("help", ("resynth --help",)),
    "an option": Mistake("run people.parquet --rwos 3", ("--rwos", "did you mean --rows?", "resynth run --help")),
    "an option of another verb": Mistake("promote people 1 --seed 3", ("--seed", "resynth promote --help")),
    "a word for a number": Mistake("run people.parquet --rows many", ("--rows", "a whole number", "'many'")),
    "a fraction": Mistake("run people.parquet --rows 1.5", ("--rows", "a whole number", "'1.5'")),
    "no rows": Mistake("run people.parquet --rows 0", ("rows", "greater than or equal to 1", "0")),
    "a seed below zero": Mistake("run people.parquet --seed -1", ("seed", "greater than or equal to 0")),
    "a value left out": Mistake("run people.parquet --rows", ("expected a value after --rows",)),
    "an argument left out": Mistake("promote people", ("expected VERSION", "resynth promote --help")),
    "an option left out": Mistake("export people --rows 5", ("expected --out", "resynth export --help")),
    "a pattern without quotes": Mistake("run a.parquet b.parquet", ("'b.parquet'", "put a pattern in quotes")),
    "no table": Mistake("run", ("expected a table", "resynth run DATA", "`data`")),
    "a path": Mistake("run peple.parquet", ("found nothing at", "did you mean people.parquet?")),
    "a pattern": Mistake("run none/*.parquet", ("found nothing at", "none/*.parquet")),
    "an empty directory": Mistake("run empty", ("empty", "found")),
    "a directory of texts": Mistake("run texts", ("texts", ".txt")),
    "a CSV called Parquet": Mistake("run csv.parquet", ("csv.parquet", "CSV")),
    "a Parquet called CSV": Mistake("run parquet.csv", ("parquet.csv", "Parquet")),
    "an empty file": Mistake("inspect nothing.parquet", ("nothing.parquet", "0 bytes")),
    "a store": Mistake("run http://example.org/people.parquet", ("s3://", "http://")),
    "a password": Mistake("run s3://me:secret@bucket/people", ("environment",)),
    "a name": Mistake("run people.parquet --name a/b", ("name", "a/b")),
    "a settings file": Mistake("run people.parquet --config none.toml", ("none.toml", "found none", "inspect DATA")),
    "no settings to serve": Mistake("serve", ("resynth.toml", "found none", "inspect DATA --write")),
    "no schedule": setting('data = "people.parquet"', "retrain = ", "[schedule]", verb="serve"),
    "no TOML": setting("name = customers", "expected TOML", "resynth.toml"),
    "a section": setting("[trainig]\nepochs = 3", "unknown key 'trainig'", "did you mean training?"),
    "a key": setting("[training]\nepoch = 3", "unknown key 'training.epoch'", "did you mean epochs?"),
    "a key of a column": setting('[columns.age]\nkid = "numeric"', "columns.age.kid", "did you mean kind?"),
    "a value": setting('[training]\nepochs = "ten"', "training.epochs", "integer", "'ten'"),
    "a kind": setting('[columns.age]\nkind = "numerc"', "'age'", "'numerc'", "did you mean numeric?"),
    "a kind that does not fit": setting('[columns.city]\nkind = "numeric"', "'city'", "string", "'numeric'"),
    "a normalization": setting(
        '[columns.age]\nkind = "numeric"\nnormalization = "z-score"', "'age'", "'z-score'", "did you mean zscore?"
    ),
    "a type": setting('[columns.age]\ntype = "int46"', "'age'", "'int46'", "int64"),
    "a fake": setting('[columns.city]\nfake = "emial"', "'city'", "emial", "near it: 'email'"),
    "a column": setting('[columns.citty]\nkind = "drop"', "columns.citty", "did you mean city?"),
    "a target": setting('[evaluation]\ntarget = "incom"', "evaluation.target", "did you mean income?"),
    "a rule": setting('[relations]\nrules = ["agee >= 18"]', "agee", "age"),
    "a score": setting("[gate.limits]\nshape = 0.1", "shape", "shape_error"),
    "a cron expression": setting('[schedule]\nretrain = "0 25 * * *"', "schedule.retrain", "0 to 23", "25"),
    "words for a schedule": setting('[schedule]\nretrain = "every day"', "schedule.retrain", "12h", "0 3 * * *"),
    "a time zone": setting('[schedule]\ntimezone = "Europe/Berln"', "timezone", "did you mean Europe/Berlin?"),
    "a partition": Mistake("run people.parquet --partition-by ctiy", ("ctiy", "did you mean city?")),
    "a place that holds the home": Mistake("run people.parquet --out .", ("a place of its own for the export",)),
    "a place with other files": Mistake("run people.parquet --out texts", ("texts", "export")),
    "a period": Mistake("replay people.parquet --time joined --every 3days", ("every", "30d", "'3days'")),
    "a column that is no time": Mistake("replay people.parquet --time age --every 3d", ("'age'", "int64", "dates")),
    "a time column": Mistake("replay people.parquet --time joind --every 3d", ("'joind'", "did you mean joined?")),
    "a model without any": Mistake("export nobody --rows 5 --out x", ("'nobody'", "no model yet", "resynth run DATA")),
    "a version without a model": Mistake("promote nobody 1", ("nobody", "no model yet", "--home")),
    "models of nobody": Mistake("models nobody", ("'nobody'", "no model yet")),
    "drift without a model": Mistake("drift nobody people.parquet", ("'nobody'", "no model yet")),
    "scores without a model": Mistake("score nobody people.parquet --out x.parquet", ("'nobody'", "no model yet")),
    "scores without a file": Mistake("score people people.parquet", ("expected --out", "resynth score --help")),
    "scores over a file": Mistake("score people people.parquet --out people.parquet", ("not exist yet", "left alone")),
    "scores nowhere": Mistake("score people people.parquet --out no/x.parquet", ("directory that can be written",)),
    "false alarms beyond one": Mistake(
        "score people people.parquet --out x.parquet --false-alarms 1.5", ("false_alarms", "less than 1", "1.5")
    ),
    "two thresholds": Mistake(
        "score people people.parquet --out x.parquet --quantile 0.9 --robust-z 3", ("one threshold", "quantile")
    ),
    "a threshold below zero": setting("[score]\nrobust_z = -1", "score.robust_z", "greater than 0"),
    "no export": Mistake("verify texts", ("texts", "_manifest.parquet", "found none")),
    "a second table": Mistake(
        "evaluate people.parquet peple.parquet", ("peple.parquet", "did you mean people.parquet?")
    ),
    "a target of two tables": Mistake(
        "evaluate people.parquet people.parquet --target incom", ("incom", "did you mean income?")
    ),
    "a look at the latent space of nobody": Mistake("latent nobody people.parquet", ("'nobody'", "no model yet")),
    "a colour without a picture": Mistake("latent people people.parquet --by city", ("--by", "--pictures DIR")),
    "a row without a walk": Mistake("latent people people.parquet --at 3", ("--at", "--vary DIM")),
    "a word for a row": Mistake(
        "latent people people.parquet --between first 3", ("--between", "a whole number", "'first'")
    ),
    "one row to walk between": Mistake("latent people people.parquet --between 3", ("--between",)),
    "a report of nobody": Mistake("report nobody", ("'nobody'", "no model yet", "resynth run DATA")),
    "a report in place of another file": Mistake(
        "evaluate people.parquet people.parquet --report people.parquet",
        ("--report", "an earlier report", "people.parquet"),
    ),
    "a report in place of a directory": Mistake("report people --out texts", ("--out", "expected a file", "texts")),
    "no rows to look at": Mistake("preview people.parquet --rows 0", ("--rows", "1 to 1,000", "0")),
    "settings that exist": setting("", "resynth.toml", "left alone", verb="inspect people.parquet --write"),
}
"""Mistakes in a home in which nothing was ever done, by what is wrong."""

KNOWN: Mapping[str, Mistake] = {
    "a model": Mistake("models peple", ("expected a registered model", "did you mean people?")),
    "a version": Mistake("promote people 7", ("expected a version of 'people'", "'7'")),
    "a version in words": Mistake("promote people one", ("VERSION", "a whole number", "'one'")),
    "an alias": Mistake("preview people@champoin", ("'champoin'", "did you mean champion?")),
    "a reference": Mistake("export people@a/3 --rows 5 --out x", ("NAME, NAME@alias or NAME/version", "people@a/3")),
    "a version without a report": Mistake("report people", ("report", "models:/people/1", "evaluate")),
    "no champion before": Mistake("rollback people", ("people", "champion")),
}
"""Mistakes in a home with a model."""


def ground(directory: Path) -> Path:
    """Make what the mistakes are about: a good table, and some bad ones."""
    random = np.random.default_rng(0)
    people = pa.table(
        {
            "age": random.integers(18, 90, 300),
            "city": random.choice(["Bonn", "Ulm", "Kiel"], 300),
            "joined": pa.array(random.integers(18_000, 19_000, 300), pa.int32()).cast(pa.date32()),
            "income": random.normal(3000, 500, 300).round(2),
        }
    )
    pq.write_table(people, directory / "people.parquet")
    pq.write_table(people, directory / "parquet.csv")
    pyarrow.csv.write_csv(people, directory / "csv.parquet")
    (directory / "nothing.parquet").touch()
    (directory / "empty").mkdir()
    (directory / "texts").mkdir()
    for name in ("letter.txt", "notes.txt"):
        (directory / "texts" / name).write_text("Dear all,\n")
    return directory
