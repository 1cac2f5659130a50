"""Has the data changed since the model was trained?

`compare` reads two profiles and measures, per column, effect sizes: the Kolmogorov–Smirnov distance of numbers and
dates, the total variation distance of labels, the change of the null rate, the share of rows with new or lost
labels; and the change of correlations per pair. Each has a threshold, the larger of two:

- what chance explains: with no drift at all, one comparison in a thousand has *any* finding beyond it. The level
  is shared out over all tests (Bonferroni), and accounts for the sizes of both tables and the sketches' errors;
- what matters in practice, from the settings: in a million rows everything is significant.
"""

from collections.abc import Iterator
from math import log, sqrt
from typing import Literal

import numpy as np
from pydantic import Field

from pipeline.profile import ColumnProfile, Profile
from pipeline.records import Record
from pipeline.sketches import Frequencies, Quantiles

What = Literal["schema", "values", "nulls", "new labels", "lost labels", "correlation"]

LISTED_PAIRS = 20


class DriftSettings(Record):
    """From what size on a change matters, however certain it is.

    Attributes:
        false_alarms: Chance that a comparison without drift reports any.
        values: Kolmogorov–Smirnov or total variation distance, from 0 to 1.
        nulls: Change of the null rate.
        labels: Share of rows with labels that the other table does not have.
        correlation: Change of a correlation.
    """

    false_alarms: float = Field(default=0.001, gt=0, lt=1)
    values: float = Field(default=0.05, ge=0, le=1)
    nulls: float = Field(default=0.02, ge=0, le=1)
    labels: float = Field(default=0.01, ge=0, le=1)
    correlation: float = Field(default=0.1, ge=0, le=2)


class Finding(Record):
    """One comparison: how large the change is, from where on it counts, and a line that says so.

    Attributes:
        column: The column; of a pair both, as "a × b".
        what: What was compared.
        size: The effect.
        threshold: The size beyond which it is drift.
        drifted: Whether it is.
        text: All of this in words.
    """

    column: str
    what: What
    size: float
    threshold: float
    drifted: bool
    text: str


class DriftReport(Record):
    """All findings, those farthest beyond their threshold first.

    Attributes:
        drifted: Whether any finding drifted.
        findings: Every column's, and those of the pairs that changed most.
        reference_rows: Rows behind the reference profile.
        rows: Rows of the incoming table.
    """

    drifted: bool
    findings: tuple[Finding, ...]
    reference_rows: int
    rows: int


def compare(reference: Profile, incoming: Profile, settings: DriftSettings) -> DriftReport:
    """Compare an `incoming` table with the `reference`, both by their profiles."""
    findings = list(_schema(reference, incoming))
    names = {column.name for column in incoming.columns}
    unlike = {finding.column for finding in findings}
    shared = [c for c in reference.columns if c.name in names and c.name not in unlike]
    columns = [c.name for c in shared if c.ordered]
    tests = 4 * len(shared) + len(columns) * (len(columns) - 1) // 2
    level = log(2 * max(1, tests) / settings.false_alarms)
    for column in shared:
        findings.extend(_column(column, incoming[column.name], (reference.rows, incoming.rows), level, settings))
    pairs = sorted(_pairs(reference, incoming, level, settings), key=_excess)
    findings = sorted([*findings, *pairs[:LISTED_PAIRS]], key=_excess)
    return DriftReport(
        drifted=any(finding.drifted for finding in findings),
        findings=tuple(findings),
        reference_rows=reference.rows,
        rows=incoming.rows,
    )


def _excess(finding: Finding) -> float:
    """Sort key: drifted first, then by size in units of the threshold."""
    return -finding.size / max(finding.threshold, 1e-9)


def _finding(column: str, what: What, size: float, threshold: float, text: str) -> Finding:
    verdict = "beyond" if size > threshold else "within"
    return Finding(
        column=column,
        what=what,
        size=size,
        threshold=threshold,
        drifted=size > threshold,
        text=f"{column}: {text} ({verdict} {threshold:.3f})",
    )


def _schema(reference: Profile, incoming: Profile) -> Iterator[Finding]:
    """Columns that are missing, new, or of another kind or type."""
    mine = {column.name: column for column in reference.columns}
    theirs = {column.name: column for column in incoming.columns}
    for name in mine.keys() - theirs.keys():
        yield _finding(name, "schema", 1, 0, "the column is missing")
    for name in theirs.keys() - mine.keys():
        yield _finding(name, "schema", 1, 0, "the column is new")
    for name in mine.keys() & theirs.keys():
        expected, came = mine[name], theirs[name]
        if (expected.kind, expected.type) != (came.kind, came.type):
            text = f"the column is {came.kind} {came.type}, not {expected.kind} {expected.type}"
            yield _finding(name, "schema", 1, 0, text)


def _column(
    mine: ColumnProfile, theirs: ColumnProfile, rows: tuple[int, int], level: float, settings: DriftSettings
) -> Iterator[Finding]:
    """Nulls and values of one column."""
    if not all(rows):
        return
    rates = mine.nulls / rows[0], theirs.nulls / rows[1]
    pooled = (mine.nulls + theirs.nulls) / sum(rows)
    threshold = max(settings.nulls, _share_noise(pooled, *rows, level))
    text = f"null rate {rates[0]:.3f} became {rates[1]:.3f}"
    yield _finding(mine.name, "nulls", abs(rates[1] - rates[0]), threshold, text)
    if mine.ordered and theirs.ordered:
        yield _values(mine.name, mine.ordered.quantiles, theirs.ordered.quantiles, level, settings)
    if mine.nominal and theirs.nominal and mine.nominal.rows and theirs.nominal.rows:
        yield _frequencies(mine.name, mine.nominal, theirs.nominal, level, settings)
        yield from _new_and_lost(mine.name, mine.nominal, theirs.nominal, level, settings)


def _values(name: str, mine: Quantiles, theirs: Quantiles, level: float, settings: DriftSettings) -> Finding:
    """Kolmogorov–Smirnov distance; its noise by the asymptotic law, √(level / 2) for level = ln(2 / α)."""
    points = np.union1d(mine.values, theirs.values)
    distance = float(np.abs(mine.below(points) - theirs.below(points)).max())
    sketches = mine.error / mine.rows + theirs.error / theirs.rows
    noise = sqrt(level / 2 * (1 / mine.rows + 1 / theirs.rows)) + sketches
    return _finding(name, "values", distance, max(settings.values, noise), f"distribution moved by {distance:.3f}")


def _frequencies(name: str, mine: Frequencies, theirs: Frequencies, level: float, settings: DriftSettings) -> Finding:
    """Total variation distance over the labels whose counts both sides know, all others being one.

    Its noise is the expected distance plus a deviation bounded by McDiarmid's inequality.
    """
    known = [
        label
        for label in mine.counts | theirs.counts
        if (label in mine.counts or not mine.rest) and (label in theirs.counts or not theirs.rest)
    ]
    first, second = (np.array([side.counts.get(label, 0) for label in known]) for side in (mine, theirs))
    first, second = np.append(first, mine.rows - first.sum()), np.append(second, theirs.rows - second.sum())
    distance = float(np.abs(first / mine.rows - second / theirs.rows).sum() / 2)
    pooled = (first + second) / (mine.rows + theirs.rows)
    spread = 1 / mine.rows + 1 / theirs.rows
    noise = float(np.sqrt(pooled * (1 - pooled) * spread).sum() / 2) + sqrt(level / 2 * spread)
    return _finding(name, "values", distance, max(settings.values, noise), f"labels' shares moved by {distance:.3f}")


def _new_and_lost(
    name: str, mine: Frequencies, theirs: Frequencies, level: float, settings: DriftSettings
) -> Iterator[Finding]:
    """Rows with labels of one side only, where that side's labels are all listed on the other.

    Chance alone leaves about as many rows of unseen labels as there are labels seen once (Good & Turing).
    """
    sides: tuple[tuple[What, Frequencies, Frequencies], ...] = (
        ("new labels", mine, theirs),
        ("lost labels", theirs, mine),
    )
    for what, without, having in sides:
        if without.rest:
            continue
        only = [count for label, count in having.counts.items() if label not in without.counts]
        share = sum(only) / having.rows
        unseen = sum(count == 1 for count in without.counts.values()) / without.rows
        threshold = max(settings.labels, unseen + _share_noise(unseen, without.rows, having.rows, level))
        text = f"{len(only)} {what} in {share:.3f} of the rows"
        yield _finding(name, what, share, threshold, text)


def _pairs(reference: Profile, incoming: Profile, level: float, settings: DriftSettings) -> Iterator[Finding]:
    """Change of the correlation of every pair of ordered columns that both profiles know.

    A correlation scatters with variance E[x²y²] / n (x and y in standard units), which by Cauchy and Schwarz is at
    most the geometric mean of the two kurtoses: where tails are heavy, it takes a large change to be sure of one.
    """
    sides = (reference, incoming)
    names = [n for n in reference.pairs.names if n in incoming.pairs.names and all(side[n].ordered for side in sides)]
    if len(names) < 2:  # noqa: PLR2004 - a pair
        return
    rho, variance = [], []
    for side in sides:
        chosen = np.ix_(*[[side.pairs.names.index(name) for name in names]] * 2)
        tails = np.sqrt([column.kurtosis for name in names if (column := side[name].ordered)])
        rho.append(side.pairs.correlations()[chosen])
        variance.append(np.outer(tails, tails) / np.maximum(side.pairs.pair_rows()[chosen], 1))
    changes = np.abs(rho[0] - rho[1])
    thresholds = np.maximum(settings.correlation, np.sqrt(2 * level * (variance[0] + variance[1])))
    for a, b in zip(*np.triu_indices(len(names), 1), strict=True):
        if not np.isnan(changes[a, b]):
            text = f"correlation moved by {changes[a, b]:.3f}"
            pair = f"{names[a]} × {names[b]}"
            yield _finding(pair, "correlation", float(changes[a, b]), float(thresholds[a, b]), text)


def _share_noise(share: float, n: int, m: int, level: float) -> float:
    """How far two shares of n and m rows differ by chance (Bernstein's inequality), for level = ln(2 / α)."""
    spread = 1 / n + 1 / m
    return sqrt(2 * share * (1 - share) * spread * level) + level * spread / 3
