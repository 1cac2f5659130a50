"""Risks: what an attacker learns about training rows beyond what held-out rows give away.

`pipeline.evaluation.disclosing` has the attacks. Each is tried on training rows and, as a control, on held-out rows.
What works on both is a fact about the population. The *risk* is what an attack gains on training rows, as a share of
what the control leaves to gain: (rate − control) / (1 − control) (Giomi et al. 2023, arXiv 2211.10459, equation 1).

An attack that does no better than a naive one says little, so it is marked as `weak`. A naive guess is any synthetic
row, or a predicate whose values come from different rows.

A predicate holds for exactly one row more often in some sizes of table than in others, and there are mostly more
training rows than held-out rows. So the control of singling out is multiplied by the factor by which the success
in the training table differs from that in a sample of it as large as the hold-out. The paper fits a curve for this
factor. Here it is the exact expectation.

The largest of several risks is above 0 by chance, even if nothing leaks. The ceiling is the mean of the largest of
as many independent normal errors as there are attacks.

Held-out rows may differ from training rows for another reason, such as a later time. Then rows that copy nothing tell
more of training rows too. So the same attacks are tried on some training rows, with other training rows in place of the
synthetic rows. If the lower end of the interval of such a risk is above what chance leaves, it is the ceiling.
"""

from math import sqrt
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import FiniteFloat

from pipeline.evaluation import disclosing
from pipeline.evaluation.areas.base import Area, Found
from pipeline.evaluation.disclosing import Hits
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import NORMAL_95, Incomputable, Metric, Score
from pipeline.evaluation.views import Floats, chosen
from pipeline.records import Record

TARGETS = 500
"""Most training rows, and most held-out rows, that are linked and inferred."""
PREDICATES = 1_000
TRIED = 4
"""Predicates of several columns that are tried for each that is wanted."""
CONDITIONS = (3, 4, 5, 6)
"""Columns of a predicate of several columns: as few as single out `PLENTY` synthetic rows. A large table needs more."""
PLENTY = 100
SECRETS = 20
"""Most columns that are inferred."""
FEWEST = 20
"""Fewest rows of each table, and fewest predicates."""
DRAWS = 10_000


class Risk(Record):
    """What one disclosure attack gains on training rows.

    Attributes:
        attack: "singling out" with predicates of one column, "singling out, several columns", "linkability" or
            "inference".
        column: The column that is inferred. None for the other attacks.
        attacks: Number of guesses on training rows.
        rate: Share of them that are right.
        rate_low: Lower end of the 95 % interval of `rate` (Wilson 1927).
        rate_high: Upper end of this interval.
        control: Share of guesses on held-out rows that are right.
        control_low: Lower end of the 95 % interval of `control`.
        control_high: Upper end of this interval.
        naive: Share of guesses that are right without looking at the rows nearest to the target.
        weak: Whether the attack is no better than the naive one, so that its risk says little.
        risk: (rate − control) / (1 − control). Below 0 if held-out rows are easier to guess.
        low: Lower end of the 95 % interval of `risk`.
        high: Upper end of this interval.
    """

    attack: str
    column: str | None = None
    attacks: int
    rate: FiniteFloat
    rate_low: FiniteFloat
    rate_high: FiniteFloat
    control: FiniteFloat
    control_low: FiniteFloat
    control_high: FiniteFloat
    naive: FiniteFloat
    weak: bool
    risk: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat


class ComparableCells(NamedTuple):
    """Comparable cells of the three tables, [rows, columns]; which columns have an order; their names."""

    synthetic: Floats
    train: Floats
    holdout: Floats
    ordered: Hits
    names: tuple[str, ...]


class Risks(Area):
    """Disclosure attacks beside a control of held-out rows. The ceiling is what chance or real rows reach."""

    name = "risks"
    metrics: ClassVar = {
        "disclosure_risk": Metric("min", "largest gain of a disclosure attack on training over held-out rows", 1.0)
    }
    details: ClassVar = {"risks": Risk}

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        cells = _cells(samples)
        fewest = min(len(cells.synthetic), len(cells.train), len(cells.holdout))
        if not cells.names or fewest < FEWEST:
            what = f"{FEWEST} rows of each table, got {fewest}" if cells.names else "a column that can be compared"
            raise Incomputable(f"needs {what}")
        found = _risks(cells, samples)
        if not found:
            raise Incomputable(f"fewer than {FEWEST} values of the one column single out a row")
        found.sort(key=lambda risk: -risk.risk)
        real = _risks(_without_synthetic(cells, samples.random("risk control")), samples)
        return Found((_score(found, real, samples.random("risk chance")),), {"risks": tuple(found)})


def _risks(cells: ComparableCells, samples: Samples) -> list[Risk]:
    """The risks of all attacks that can be tried."""
    found = _singling_out(cells, samples)
    if len(cells.names) > 1:
        found += [_linkability(cells, samples), *_inference(cells, samples)]
    return found


def _without_synthetic(cells: ComparableCells, random: np.random.Generator) -> ComparableCells:
    """Some training rows as the only training rows, and of the others as many as possible in place of the synthetic."""
    order = random.permutation(len(cells.train))
    size = min(TARGETS, len(order) // 2)
    rest = order[size:][: len(cells.synthetic)]
    return cells._replace(synthetic=cells.train[rest], train=cells.train[order[:size]])


def _cells(samples: Samples) -> ComparableCells:
    """The cells of columns that can be compared and are not constant."""
    view, tables = samples.views[0], samples.tables
    found, names = [], []
    for name in (name for name in view.names if name in samples.schema.names):
        whole = pa.concat_tables([table.select([name]) for table in tables])
        places = np.nan_to_num(view.measures[name].places(whole[name]), nan=disclosing.NULL)
        if len(np.unique(places)) > 1:
            found.append(places)
            names.append(name)
    every = np.stack(found, axis=1) if found else np.empty((sum(table.num_rows for table in tables), 0))
    parts = np.split(every, np.cumsum([table.num_rows for table in tables])[:-1])
    ordered = np.array([view.measures[name].orders for name in names], np.bool_)
    return ComparableCells(parts[0], parts[1], parts[2], ordered, tuple(names))


def _singling_out(cells: ComparableCells, samples: Samples) -> list[Risk]:
    """The risks of predicates of one column and of several columns. Absent if there are too few predicates."""
    random, synthetic = samples.random("singling out"), cells.synthetic
    predicates = {("singling out", 1): disclosing.of_one_column(synthetic, cells.ordered, PREDICATES, random)}
    if len(cells.names) > 1:
        conditions, several = _of_several_columns(cells, random)
        predicates["singling out, several columns", conditions] = several
    found = []
    for (name, conditions), asked in predicates.items():
        size, (train, holdout) = len(asked.columns), (len(cells.train), len(cells.holdout))
        if size < FEWEST:
            continue
        counts = asked.counts(cells.train)
        rate, control = float((counts == 1).mean()), float((asked.counts(cells.holdout) == 1).mean())
        expected = float(disclosing.isolated(counts, min(holdout, train), train).mean())
        factor = rate / expected if expected > 0 else 1.0
        mixed = np.stack([random.choice(values, size) for values in synthetic.T], axis=1)
        guess = disclosing.of_rows(mixed, synthetic, cells.ordered, conditions, random)
        naive = float((guess.counts(cells.train) == 1).mean())
        found.append(_risk(name, rate, control, naive, (size, size), factor=factor))
    return found


def _of_several_columns(cells: ComparableCells, random: np.random.Generator) -> tuple[int, disclosing.Predicates]:
    """Predicates of several columns that hold for exactly one synthetic row, and of how many columns they are."""
    synthetic = cells.synthetic
    for most in CONDITIONS:
        conditions = min(most, len(cells.names))
        rows = synthetic[random.integers(0, len(synthetic), TRIED * PREDICATES)]
        several = disclosing.of_rows(rows, synthetic, cells.ordered, conditions, random)
        alone = np.flatnonzero(several.counts(synthetic) == 1)[:PREDICATES]
        if len(alone) >= PLENTY or conditions == len(cells.names):
            break
    return conditions, several.take(alone)


def _targets(cells: ComparableCells, random: np.random.Generator) -> tuple[Floats, Floats]:
    """As many training as held-out rows."""
    size = min(TARGETS, len(cells.train), len(cells.holdout))
    train, holdout = cells.train, cells.holdout
    return train[chosen(len(train), size, random)], holdout[chosen(len(holdout), size, random)]


def _linkability(cells: ComparableCells, samples: Samples) -> Risk:
    """The risk of linking two halves of the columns."""
    random = samples.random("linkability")
    order = random.permutation(len(cells.names))
    first = np.isin(np.arange(len(order)), order[: len(order) // 2])
    targets = _targets(cells, random)
    hits = [disclosing.linked(rows, cells.synthetic, cells.ordered, first) for rows in targets]
    sizes = (len(targets[0]), len(targets[1]))
    rate, control = (float(own.mean()) for own in hits)
    return _risk("linkability", rate, control, 1 / len(cells.synthetic), sizes)


def _inference(cells: ComparableCells, samples: Samples) -> list[Risk]:
    """The risk of each column that is inferred from all others, if enough held-out rows are guessed wrong.

    A column that is almost always right leaves so little to gain that one row more or less is a large risk.
    """
    random = samples.random("inference")
    secrets = chosen(len(cells.names), SECRETS, random)
    ordered = cells.ordered[secrets]
    targets = _targets(cells, random)
    truth = [rows[:, secrets] for rows in targets]
    guesses = [disclosing.guessed(rows, cells.synthetic, cells.ordered, secrets) for rows in targets]
    rates = [disclosing.right(*pair, ordered).mean(0) for pair in zip(guesses, truth, strict=True)]
    any_row = cells.synthetic[random.integers(0, len(cells.synthetic), len(truth[0]))][:, secrets]
    naive = disclosing.right(any_row, truth[0], ordered).mean(0)
    sizes = (len(targets[0]), len(targets[1]))
    return [
        _risk("inference", float(rates[0][k]), float(rates[1][k]), float(naive[k]), sizes, column=cells.names[secret])
        for k, secret in enumerate(secrets)
        if (1 - rates[1][k]) * sizes[1] >= FEWEST - 0.5
    ]


def _risk(
    attack: str,
    rate: float,
    control: float,
    naive: float,
    sizes: tuple[int, int],
    *,
    factor: float = 1.0,
    column: str | None = None,
) -> Risk:
    """The risk that follows from two success rates, with the errors of both. `factor` multiplies the control."""
    rate_ends = wilson(rate, sizes[0])
    control_ends = tuple(min(1.0, factor * end) for end in wilson(control, sizes[1]))
    control = min(1.0, factor * control)
    # half a success is always left to gain: else a control of 1 leaves no scale
    left = max(1 - control, 1 / (2 * sizes[1]))
    risk = (rate - control) / left
    errors = (rate_ends[1] - rate_ends[0]) / 2 / left, (control_ends[1] - control_ends[0]) / 2 * (1 - rate) / left**2
    margin = sqrt(errors[0] ** 2 + max(errors[1], (control_ends[1] - control_ends[0]) / 2) ** 2)
    return Risk(
        attack=attack,
        column=column,
        attacks=sizes[0],
        rate=rate,
        rate_low=rate_ends[0],
        rate_high=rate_ends[1],
        control=control,
        control_low=control_ends[0],
        control_high=control_ends[1],
        naive=naive,
        weak=rate <= naive,
        risk=max(-1.0, risk),
        low=max(-1.0, risk - margin),
        high=min(1.0, max(-1.0, risk + margin)),
    )


def wilson(share: float, size: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share of `size` independent trials (Wilson 1927)."""
    squared = NORMAL_95**2 / size
    centre = (share + squared / 2) / (1 + squared)
    margin = NORMAL_95 / (1 + squared) * sqrt(share * (1 - share) / size + squared / (4 * size))
    return max(0.0, centre - margin), min(1.0, centre + margin)


def _score(found: list[Risk], real: list[Risk], random: np.random.Generator) -> Score:
    """The largest risk beside what chance leaves to it, or what real rows surely reach if that is more."""
    errors = np.array([(risk.high - risk.low) / 2 / NORMAL_95 for risk in found])
    chance = float(np.maximum(random.normal(size=(DRAWS, len(errors))) * errors, 0).max(1).mean())
    ceiling = max(chance, *(risk.low for risk in real), 0.0)
    worst = found[0]
    return Score.of("disclosure_risk", max(0.0, worst.risk), min(ceiling, 1.0), (max(0.0, worst.low), worst.high))
