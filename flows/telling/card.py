"""Texts for MLflow's pages: the card of a version, and the name and the note of a run.

The card is the description of a registered version in Markdown: what it was made from, how good it is, what the gate
said, and what its rows are no good for. It holds names of columns, numbers and settings, but no value of the data. A
description stays what it is while versions are promoted and rolled back, so it says what was decided when the version
was made. MLflow's database has room for 5,000 characters, so long lists are cut.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from flows.telling.outcome import RunOutcome
from pipeline.decisions import quality
from pipeline.decisions.drift import DriftReport
from pipeline.evaluation import Evaluation
from pipeline.loop import PrivacyReport
from pipeline.records import Record
from pipeline.settings import GateSettings

MOST = 4900
"""Characters of a description."""
NAMED = 8  # names of columns in a list
REASONS = 6  # reasons of a decision
LONGEST = 250  # characters of a reason
LONGEST_NAME = 60  # characters of the name of a column, a file or a table
DIGITS = 12  # of a digest
MEANT = re.compile(r"([\\`*_{}\[\]<>#|~])")  # what Markdown would not show as it is
CODE = "Made by resynth {release}, code {code}. The alias `champion` marks the version that publishes."
LIMITS = (
    "The rows are made up: none is about a real person or case. Do not decide about a person by them.",
    "Totals of large groups are near the real ones. Counts of small groups, and records one by one, mean nothing.",
    "Rare values and extremes are withheld, so do not look for fraud, faults or other exceptions in them.",
    "They are not anonymous by construction, and differential privacy is not promised.",
)


class Facts(Record):
    """What is known of a version when it is registered.

    Attributes:
        version: Its number.
        data: The name of the table's file or directory.
        digest: The digest of the rows.
        rows: The number of rows that came in, and of those that each part has.
        columns: The number of columns.
        relations: The number of relations between columns that every row fulfils.
        epochs: The epochs of the training.
        seconds: The seconds of the training.
        start: The version at which the training started, if it is a warm start.
        privacy: What is withheld.
        code: The version of the code.
        release: The version of the package.
    """

    version: str
    data: str
    digest: str
    rows: Mapping[str, int]
    columns: int
    relations: int
    epochs: int
    seconds: float
    start: str | None
    privacy: PrivacyReport
    code: str
    release: str


def version(name: str, known: Facts, gate: GateSettings, outcome: RunOutcome | None = None) -> str:
    """The card of a version: before the gate has decided, or with the outcome of its run."""
    parts = [
        f"**Synthetic rows of {plainly(name)}, version {known.version}.** {_verdict(outcome)}",
        _section("Data", _data(known)),
        _section("Training", _training(known)),
        "\n".join(_scores(outcome.evaluation, gate)) if outcome is not None and outcome.evaluation is not None else "",
        _section("Gate", _gate(outcome)),
        _section("Withheld", _withheld(known.privacy)),
        _section("Limits", LIMITS),
        _use(name, known.version),
        CODE.format(release=known.release, code=known.code[:DIGITS]),
    ]
    return _fitting([part for part in parts if part])


def title(outcome: RunOutcome) -> str:
    """The name of a run, when its outcome is known. MLflow's list shows about twenty letters of it."""
    if outcome.version is None:
        return f"{outcome.name}: nothing to train"
    training = {"warm-start": "warm start", "retrain": "retraining"}
    what = training.get(outcome.plan.action, "training") if outcome.plan is not None else "training"
    return f"{outcome.name}: v{outcome.version} {outcome.decision} ({what})"


def note(outcome: RunOutcome) -> str:
    """The note of a run that trained nothing."""
    published = f"Version {outcome.published} published its rows again." if outcome.published is not None else ""
    head = f"**Nothing was trained on {plainly(outcome.name)}.** {published}".strip()
    return _fitting([head, _list(escaped(reason) for reason in outcome.reasons)])


def drift(found: DriftReport, number: str) -> str:
    """The note of a drift check against a version."""
    drifted = sum(finding.drifted for finding in found.findings)
    verdict = "has moved away from" if found.drifted else "is still like"
    return _fitting(
        [
            f"**The table {verdict} the training rows of version {plainly(number)}.**",
            f"{drifted:,} of {len(found.findings):,} checks found a change. All of them are in `drift.json`.",
        ]
    )


def plainly(text: str) -> str:
    """A text that Markdown shows as it is, in one line."""
    return escaped(text, LONGEST_NAME)


def escaped(text: str, longest: int = LONGEST) -> str:
    """A text that Markdown shows as it is, in one line of at most so many characters."""
    line = " ".join(text.split())
    return MEANT.sub(r"\\\1", line if len(line) <= longest else f"{line[:longest]}…")


def _verdict(outcome: RunOutcome | None) -> str:
    if outcome is None:
        return "The gate had not decided when this was written."
    if outcome.decision == "promoted":
        return "It passed the gate and became champion when it was made."
    return "The gate refused it when it was made."


def _data(known: Facts) -> Iterator[str]:
    parts = ", ".join(f"{rows:,} {part}" for part, rows in known.rows.items() if part not in {"incoming", "new"})
    yield f"`{known.data[:LONGEST_NAME].replace('`', '')}`, digest `{known.digest[:DIGITS]}`"
    yield f"{known.rows.get('incoming', 0):,} rows ({parts}), {known.columns:,} columns"
    if known.relations:
        relation = "1 relation" if known.relations == 1 else f"{known.relations:,} relations"
        yield f"{relation} between columns, exact in every row"


def _training(known: Facts) -> Iterator[str]:
    start = f"continued from version {known.start}" if known.start is not None else "from scratch"
    yield f"{start}: {known.epochs:,} epochs in {known.seconds:,.0f} s on {known.rows.get('train', 0):,} rows"
    share = known.privacy.shrinkage.share if known.privacy.shrinkage is not None else 0
    if share == 1:
        yield "the table is small: columns are generated independently, so that no row is copied"
    elif share:
        yield f"the table is small: each column is shuffled among {share:.0%} of the rows, so that no row is copied"


def _scores(found: Evaluation, gate: GateSettings) -> Iterator[str]:
    yield f"**Scores** of {found.rows:,} rows beside {found.holdout_rows:,} held-out real rows, in %: 100 is best\n"
    yield "| score | synthetic | real rows | at least | meaning | metric |"
    yield "|---|--:|--:|--:|---|---|"
    for line in quality.lines(found, gate):
        numbers = " | ".join("" if value is None else f"{value:.1f}" for value in (line.value, line.real, line.least))
        yield f"| {line.title.name} | {numbers} | {line.title.meaning} | `{line.setting}` |"


def _gate(outcome: RunOutcome | None) -> Iterator[str]:
    if outcome is None:
        return
    yield f"{outcome.decision} when it was made"
    yield from (escaped(reason) for reason in outcome.reasons[:REASONS])
    if len(outcome.reasons) > REASONS:
        yield f"and {len(outcome.reasons) - REASONS:,} more reasons, in decision.json"


def _withheld(privacy: PrivacyReport) -> Iterator[str]:
    yield f"values that fewer than {privacy.least_rows:,} rows share"
    if privacy.withheld:
        rows = sum(column.rows for column in privacy.withheld)
        yield f"values in {rows:,} cells were replaced: {_named(column.name for column in privacy.withheld)}"
    if privacy.made_up:
        yield f"made up, nothing real in them: {_named(privacy.made_up)}"
    if privacy.dropped:
        yield f"left out: {_named(privacy.dropped)}"


def _use(name: str, number: str) -> str:
    return "\n".join(
        (
            "**Use**\n",
            "```sh",
            f"resynth export {name}/{number} --rows 1000 --out rows/",
            "```",
            "```python",
            f'model = mlflow.pyfunc.load_model("models:/{name}/{number}")',
            'model.predict({"rows": 1000, "seed": 7})',
            "```",
        )
    )


def _named(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    return ", ".join(plainly(name) for name in found[:NAMED]) + more


def _section(head: str, lines: Iterable[str]) -> str:
    found = _list(lines)
    return f"**{head}**\n\n{found}" if found else ""


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _fitting(parts: Sequence[str]) -> str:
    """The parts one below the other. If they are too long, the longest is shortened, at the end of a line."""
    found = list(parts)
    while (over := len("\n\n".join(found)) - MOST) > 0:
        place = max(range(len(found)), key=lambda index: len(found[index]))
        lines = found[place].splitlines()
        while len(lines) > 1 and over + 2 > 0:  # room for the sign
            over -= len(lines.pop()) + 1
        found[place] = "\n".join([*lines, "…"]) if len(lines) > 1 else f"{lines[0][: len(lines[0]) // 2]}…"
    return "\n\n".join(found)
