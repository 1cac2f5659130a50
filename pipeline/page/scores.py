"""The scores of a report: those that people read in percent, and every number as it was computed.

A score stands in one of four places. It is *below the gate* if the gate refuses it; *behind real rows* if it is behind
them by more than its 95 % confidence interval and by at least one point; otherwise it is *as good as real rows*. A
score that real rows do not have has no standing.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from pipeline.decisions import quality
from pipeline.decisions.quality import Rated
from pipeline.evaluation import AREAS, Evaluation, Score
from pipeline.page.advice import advice, area_title
from pipeline.records import Record
from pipeline.settings import GateSettings

BELOW, BEHIND, GOOD, UNTOLD = "below the gate", "behind real rows", "as good as real rows", ""
NOTICEABLE = 1.0  # points in percent
DRAWN_ELSEWHERE = frozenset({"columns", "pairs"})
"""Details of an evaluation that have a section of their own."""
MOST_DETAILS = 50


class Standing(NamedTuple):
    """A score in percent, where it stands, and what to do about it.

    Attributes:
        rated: The score in percent.
        margin: Half of its 95 % confidence interval in points. None if it is unknown.
        standing: Where it stands, in words.
        advice: What to do about it. Empty if nothing has to be done.
    """

    rated: Rated
    margin: float | None
    standing: str
    advice: str


class AreaScores(NamedTuple):
    """Every number of an area as it was computed.

    Attributes:
        name: Its name in the settings and in MLflow.
        title: What the area is about.
        scores: Its scores.
        details: Tables of further findings.
    """

    name: str
    title: str
    scores: tuple[Score, ...]
    details: tuple["DetailTable", ...]


class DetailTable(NamedTuple):
    """Further findings of an area as a table of texts; `more` rows are left out."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int


def standings(found: Evaluation, gate: GateSettings) -> tuple[Standing, ...]:
    """The scores that people read in percent."""
    return tuple(_standing(line, found[line.setting]) for line in quality.lines(found, gate))


def areas(found: Evaluation) -> tuple[AreaScores, ...]:
    """Every score and detail, area by area."""
    groups = {name: tuple(own) for name, own in groupby(found.scores, key=lambda score: score.area)}
    details: dict[str, list[DetailTable]] = {}
    for name, records in found.details.items():
        owner = next((area.name for area in AREAS.values() if name in area.details), "")
        if records and name not in DRAWN_ELSEWHERE:
            details.setdefault(owner, []).append(detail_table(name, records))
    names = [*groups, *(name for name in details if name not in groups)]
    return tuple(
        AreaScores(name, area_title(name), groups.get(name, ()), tuple(details.get(name, ()))) for name in names
    )


def detail_table(name: str, records: Sequence[Record]) -> DetailTable:
    """Records of one type as a table."""
    head = tuple(type(records[0]).model_fields)
    rows = tuple(tuple(told(getattr(each, key)) for key in head) for each in records[:MOST_DETAILS])
    titles = tuple(key.replace("_", " ") for key in head)
    return DetailTable(name.replace("_", " "), titles, rows, max(0, len(records) - MOST_DETAILS))


def told(value: Any) -> str:  # noqa: ANN401 - the field of any record
    """A value of a record as a text."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
        case tuple() | list():
            return ", ".join(map(told, value))
        case _:
            return str(value)


def summary(found: Sequence[Standing]) -> Iterator[str]:
    """How many scores stand where, in a sentence, with the names of those that are not good."""
    groups = {where: [each.rated.title.name for each in found if each.standing == where] for where in (BELOW, BEHIND)}
    good = sum(each.standing == GOOD for each in found)
    if found:
        named = [
            f"{len(names)} {where} ({', '.join(f'“{name}”' for name in names)})"
            for where, names in groups.items()
            if names
        ]
        yield f"{len(found)} scores: {', '.join([f'{good} {GOOD}', *named])}"


def _standing(line: Rated, score: Score) -> Standing:
    margin = None
    if score.low is not None and score.high is not None:
        margin = abs(quality.percent(score, score.high) - quality.percent(score, score.low)) / 2
    behind = 0.0 if line.real is None else line.real - line.value
    if not line.passes:
        where = BELOW
    elif line.real is None:
        where = UNTOLD
    else:
        where = BEHIND if behind > max(NOTICEABLE, margin or 0.0) else GOOD
    return Standing(line, margin, where, advice(score.name, score.area) if where in {BELOW, BEHIND} else "")
