"""What the pages say is true: Python runs, settings validate, commands parse, links lead somewhere."""

import re
import runpy
import shlex
import shutil
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cyclopts import CycloptsError
from pydantic import ValidationError

from flows import cli
from flows.settings import Settings
from flows.telling.outcome import RunOutcome
from flows.verbs.prune import Pruned
from pipeline.assumptions import Assumption
from pipeline.decisions.findings import DriftReport
from pipeline.evaluation import Evaluation
from pipeline.evaluation.scores import DETAILS
from pipeline.inspection import Inspection
from pipeline.queries.anomaly import ScoreReport
from pipeline.queries.oddities import OddRow, OddRows
from pipeline.records import Record

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *DOCS]
LINKING = [*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "data/README.md", "mlruns/README.md"))]
GENERATED = runpy.run_path(str(ROOT / "docs" / "settings.py"))
PROGRAMS = {"resynth", "make", "python", ".venv/bin/python", "mlflow", "curl", "export"}


def blocks(page: Path, language: str) -> list[str]:
    """The fenced code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


def commands() -> list[list[str]]:
    """The words of every line of every shell block, comments aside."""
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def mentioned() -> list[tuple[str, list[str]]]:
    """Verbs in running text and tables, `resynth VERB …`, with their options."""
    spans = [span for page in PAGES for span in re.findall(r"`resynth ([a-z]+[^`\n]*)`", page.read_text())]
    return [(span.split()[0], re.findall(r"--[a-z-]+", span)) for span in spans]


def anchors(page: Path) -> set[str]:
    """What links may name in a page: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_examples_run(page, tmp_path, monkeypatch):
    """The Python blocks of a page are one program, which runs as printed in a directory that holds the data.

    `customers.parquet` has so few rows that a training of the default length takes a second.
    """
    customers = pa.table({"age": list(range(20, 70)), "city": ["Rome", "Bonn"] * 25})
    pq.write_table(customers, tmp_path / "customers.parquet")
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "data" / "adult_test.parquet", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks(page, "python")), str(page), "exec"), {"__name__": "__main__"})  # noqa: S102


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=lambda page: page.name)
def test_settings_examples_are_valid(page, tmp_path):
    """Every TOML block is accepted by the settings, that of several tables with each of them."""
    for block in blocks(page, "toml"):
        (tmp_path / "resynth.toml").write_text(block)
        values = tomllib.loads(block)
        Settings.load(tmp_path)
        assert set(Settings.tables(tmp_path) if "tables" in values else {}) == set(values.get("tables", {}))


def test_commands_parse():
    """Every command line of a shell block has a verb, arguments and options that the command takes."""
    found = [words[1:] for words in commands() if words[0] == "resynth"]
    assert len(found) > 10
    for words in found:
        cli.app.parse_args(words, exit_on_error=False, print_error=False)
    with pytest.raises(CycloptsError):
        cli.app.parse_args([*found[0], "--nothing"], exit_on_error=False, print_error=False)


def test_other_programs_exist():
    """Shell blocks use known programs; scripts are there, and so are targets of make."""
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    named = re.findall(r"`make (\w+)`", "".join(page.read_text() for page in LINKING))
    for program, *words in commands():
        assert program in PROGRAMS
        if "python" in program:
            assert (ROOT / words[0]).is_file(), words[0]
        named += words if program == "make" else []
    assert set(named) <= set(targets)


def test_verbs_are_the_commands_own():
    """Verbs and options in running text exist, and the table of commands lists every verb."""
    parameters = {verb: " ".join(_options(verb)) for verb in cli.app if not verb.startswith("-")}
    for verb, options in mentioned():
        assert verb in parameters, verb
        for option in options:
            assert option in parameters[verb].split(), f"{verb} {option}"
    listed = re.findall(r"^\| `resynth ([a-z]+)", (ROOT / "docs" / "command.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(parameters)


def _options(verb: str) -> list[str]:
    arguments = cli.app[verb].assemble_argument_collection()
    return [name for argument in arguments for name in argument.names]


def test_keys_of_answers():
    """The keys that `--json` prints are those of the records."""
    rows = dict(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (`.*) \|$", _section("What `--json` prints"), re.MULTILINE))
    keys = {name.strip("`"): _keys(re.sub(r"\([^)]*\)", "", text)) for name, text in rows.items()}
    assert keys["run"] == {field.alias or name for name, field in RunOutcome.model_fields.items()} - {
        "evaluation",
        "elbo",
    } | {"metrics"}
    assert _keys(rows["`drift`"]) == {name for record in (DriftReport, OddRows, OddRow) for name in record.model_fields}
    assert keys["score"] == {"path", *ScoreReport.model_fields}
    assert keys["evaluate"] == set(Evaluation.model_fields) - {"details"} | set(DETAILS) | {"page"}
    assert _keys(rows["`inspect`"]) == set(Inspection.model_fields) | set(Assumption.model_fields) | {
        "warnings",
        "relations",
        "assumptions",
    }
    assert _keys(rows["`prune`"]) == set(Pruned.model_fields) | {"removed", "models"}


def _section(heading: str) -> str:
    return (ROOT / "docs" / "command.md").read_text().partition(f"## {heading}")[2]


def _keys(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Every relative link and picture points at a file of the repository, and at a heading of it where it names one."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not heading or heading in anchors(target), link


def test_every_page_is_reached_from_the_readme():
    """The README links to every page, and is short enough to be read."""
    links = re.findall(r"\]\((docs/[^)#]+\.md)", README.read_text())
    assert {ROOT / link for link in links} == set(DOCS)
    assert len(README.read_text().splitlines()) <= 120
    assert all(len(page.read_text().splitlines()) <= 150 for page in DOCS if page.name != "settings.md")


def test_the_reference_of_settings_is_what_the_code_says():
    """`docs/settings.md` is what `make docs` writes."""
    assert GENERATED["PAGE"].read_text() == GENERATED["page"](), "run `make docs`"


def test_the_reference_of_settings_has_every_key():
    """Every key of every section is in the page, found by walking the JSON schema of the settings."""
    schema = Settings.model_json_schema()
    keys = {key for record in (schema, *schema["$defs"].values()) for key in record["properties"]}
    text = GENERATED["PAGE"].read_text()
    sections = [name for name in schema["properties"] if f"## [{name}" in text]
    told = set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
    assert keys <= told | set(sections)
    assert len(sections) == len(schema["$defs"])


def test_a_setting_without_description_is_refused():
    """A key about which the docstring says nothing ends the generator."""

    class Undescribed(Record):
        """A section.

        Attributes:
            told: This one has a line.
        """

        told: int = 0
        untold: int = 0

    with pytest.raises(ValueError, match="untold"):
        GENERATED["described"](Undescribed)


def test_bounds_of_the_reference_are_those_of_the_settings():
    """What the page says of a key's range is what the settings accept."""
    assert "| `holdout` | number, > 0, < 0.5 | `0.1` |" in GENERATED["PAGE"].read_text()
    Settings.model_validate({"split": {"holdout": 0.49}})
    with pytest.raises(ValidationError):
        Settings.model_validate({"split": {"holdout": 0.5}})
