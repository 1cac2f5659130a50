"""Writes `docs/settings.md`, the reference of `resynth.toml`, from the settings themselves.

    python docs/settings.py        (or `make docs`)

Every fact comes from the code: names, types, bounds and defaults from the JSON schema of `flows.settings.Settings`,
descriptions from the `Attributes:` of its records' docstrings, scores from `pipeline.evaluation.METRICS`. Only the two
examples are written here; the documentation test reads the page that comes out, with the real settings.
"""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.settings import Settings
from pipeline.evaluation import METRICS
from pipeline.records import Record

PAGE = Path(__file__).with_suffix(".md")
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
PLAIN = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
INTRODUCTION = """\
# Settings: resynth.toml

`make docs` writes this page from the settings' own docstrings: change those, not the page.

Every setting is optional. Commands read `resynth.toml` in the home (`--home`, by default the working directory), or the
file that `--config` names. What the command line gives wins over the file. An unknown key, a wrong type or an
impossible value ends a command with one line and exit code 2, before any data are read. `resynth inspect DATA --write`
makes a file to begin with.

## One table
```toml
name = "customers"
rows = 50_000                     # rows to publish; default: as many as came in

[privacy]
least_rows = 5                    # values of fewer rows are withheld; 1 withholds nothing

[columns.zip]
kind = "categorical"              # an integer that names something
public = true                     # even the rarest label may be published
[columns.balance]
normalization = "quantile"

[evaluation]
target = "churned"                # adds the utility score: train on synthetic rows, test on real ones

[training]
time_limit = 120                  # seconds

[policy]
train = "needed"                  # default "always": every run trains afresh
new_labels = "extend"
```

## Several tables
Several tables share one file. Each has a section `[tables.NAME]`, which may override any section of the file. NAME is
the name of the model; `resynth run --name NAME` chooses the section, and `resynth serve` works on all of them.

```toml
[schedule]
retrain = "0 3 * * *"             # cron, in the time zone; or an interval: 90m, 12h, 7d
drift = "1h"                      # a check that finds drift starts a run at once
timezone = "Europe/Berlin"

[notify]
webhook = "https://hooks.example.org/…"

[tables.customers]
data = "incoming/customers"
incoming = { last_files = 30 }

[tables.orders]
data = "incoming/orders"
training.time_limit = 60
schedule.drift = "30m"
```

"""
SCORES = """
## Scores
The scores that `[gate]` may name, each beside the ceiling that real rows reach. Read a score by its distance to this
ceiling: most depend on the number of rows, and real rows do not reach 0 or 1 either.

- *Whole rows at once*: `mmd2` sees any difference of two tables, and `frechet` differences of means and covariances. An
  `mmd_p` below 0.05 is hardly chance.
- *Realism*: `precision`, `density` and `alpha_precision` fall if synthetic rows lie where no real rows do.
- *Variety*: `recall`, `coverage` and `beta_recall` fall if kinds of real rows do not occur, and `inception` if classes
  of the target do not occur or blur into each other.
- Real rows reach about 0.97 in `coverage` and 0.5 in `beta_recall`. `alpha_precision` does not see whether columns
  depend on each other.

| score | good is | meaning |
|---|---|---|"""


def page() -> str:
    """The whole page in Markdown."""
    return INTRODUCTION + "\n".join(_lines()) + "\n"


def described(record: type[Record]) -> tuple[str, dict[str, str]]:
    """What the docstrings of a record, and of those that it inherits from, say: the opening, and each attribute's line.

    Raises:
        ValueError: A field has no line, and is no section of its own.
    """
    opening, lines = "", dict[str, str]()
    for each in reversed([each for each in record.__mro__ if issubclass(each, Record) and each is not Record]):
        opening, _, attributes = (inspect.getdoc(each) or "").partition("Attributes:\n")
        found = re.findall(r"^    (\w+): (.*(?:\n     .*)*)", attributes, flags=re.MULTILINE)
        lines |= {name: " ".join(text.split()) for name, text in found}
    for name in record.model_fields:
        if name not in lines and _section(record, name) is None:
            raise ValueError(f"expected a line about {name} under Attributes of {record.__name__}, got none")
    return " ".join(opening.split()), lines


def _lines() -> Iterator[str]:
    opening, lines = described(Settings)
    sections = {name: found for name in Settings.model_fields if (found := _section(Settings, name))}
    yield from ("## Without a section", opening, "")
    yield from _table(Settings, [name for name in Settings.model_fields if name not in sections], lines)
    for name, record in sections.items():
        opening, attributes = described(record)
        by_name = Settings.model_json_schema()["properties"][name].get("type") == "object"
        yield from ("", f"## [{name}.NAME]" if by_name else f"## [{name}]", f"{opening} {lines.get(name, '')}".strip())
        yield from ("", *_table(record, list(record.model_fields), attributes))
    yield SCORES
    yield from (f"| `{name}` | {_good(metric.goal)} | {_cell(metric.meaning)} |" for name, metric in METRICS.items())


def _table(record: type[Record], names: list[str], lines: Mapping[str, str]) -> Iterator[str]:
    fields = record.model_json_schema()["properties"]
    yield from ("| key | value | default | meaning |", "|---|---|---|---|")
    for name in names:
        cells = (f"`{name}`", _value(fields[name]), _default(fields[name].get("default")), lines[name])
        yield f"| {' | '.join(map(_cell, cells))} |"


def _section(record: type[Record], name: str) -> type[Record] | None:
    """The record of a field that is a section of the file, or several sections by name."""
    waiting: list[Any] = [record.model_fields[name].annotation]
    for each in waiting:
        if isinstance(each, type) and issubclass(each, Record):
            return each
        waiting += getattr(each, "__args__", ())
    return None


def _value(field: Mapping[str, Any]) -> str:
    """The type of a field and its bounds."""
    if "anyOf" in field:
        return _value(next(each for each in field["anyOf"] if each.get("type") != "null"))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{json.dumps(each)}`" for each in field.get("enum", [field.get("const")]))
    if field["type"] == "array":
        return f"list of {_value(field['items'])}"
    if field["type"] == "object":
        return f"section: score = {_value(field['additionalProperties'])}"
    bounds = [f"{sign} {field[key]:,}" for key, sign in BOUNDS.items() if key in field]
    if "pattern" in field:
        bounds.append(f"`{field['pattern']}`")
    return ", ".join([PLAIN[field["type"]], *bounds])


def _default(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, Mapping):
        return f"`{{ {', '.join(f'{key} = {each}' for key, each in value.items())} }}`"
    return f"`{json.dumps(value)}`"


def _good(goal: str) -> str:
    return "large" if goal == "max" else "small"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
