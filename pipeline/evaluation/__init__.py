"""How near synthetic rows are to real rows that the generator has not seen.

`evaluate` compares a synthetic table with the hold-out, and the training table with the same hold-out at the same
size; every score comes with both values (`Score.value`, `Score.ceiling`). What grows faster than linearly with
the rows uses bounded random samples, so that time and memory depend on the settings and not on the data.

A score that has no meaning for a table (too few rows, no columns to compare) is absent, and a note says why. Columns
that real rows cannot be compared by are left out (`pipeline.evaluation.ceilings`), and whether the columns depend on
each other is said beside the scores (`pipeline.evaluation.dependence`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import get_args

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from pipeline.evaluation import bootstrap, ceilings, detection, privacy, utility
from pipeline.evaluation.dependence import dependence
from pipeline.evaluation.marginals import shape_errors
from pipeline.evaluation.pairs import column_pairs, trend_errors
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import (
    METRICS,
    Area,
    ColumnError,
    Dependence,
    Evaluation,
    Goal,
    Incomputable,
    LeftOut,
    PairError,
    Score,
)
from pipeline.evaluation.views import Floats
from pipeline.progress import Progress, Tick, silent
from pipeline.schema import Schema
from pipeline.settings import EvaluationSettings
from pipeline.statistics.discrepancy import discrepancy
from pipeline.statistics.gaussians import Gaussian, frechet
from pipeline.statistics.neighbours import Points, manifold

__all__ = [
    "METRICS",
    "Area",
    "ColumnError",
    "Dependence",
    "Evaluation",
    "Goal",
    "LeftOut",
    "PairError",
    "Score",
    "evaluate",
]

WORST_PAIRS = 20  # listed by name
MOST_PAIRS = 20_000  # compared at all; a table of 200 columns has as many

Part = Score | ColumnError | PairError


def evaluate(
    synthetic: pa.Table,
    *,
    holdout: pa.Table,
    train: pa.Table,
    schema: Schema,
    settings: EvaluationSettings,
    seed: int,
    areas: Collection[Area] = get_args(Area),
    progress: Progress = silent,
) -> Evaluation:
    """Compare `synthetic` with `holdout`, beside `train` with `holdout`.

    Args:
        synthetic: Generated rows.
        holdout: Real rows that the generator has not seen.
        train: Real rows that it was trained on.
        schema: The schema of all three tables.
        settings: Bounds on rows, and the target for utility.
        seed: The seed of the samples, permutations and classifiers.
        areas: What to look at; by default everything.
        progress: Told after every area.

    Raises:
        TableError: A table has no rows.
        SettingsError: The target is no column of the schema.
    """
    samples = Samples.draw(synthetic, train, holdout, schema=schema, settings=settings, seed=seed)
    parts: list[Part] = []
    notes = []
    stages = {area: stage for area, stage in STAGES.items() if area in areas}
    # OpenMP's threads spin while they wait: on a busy machine two take a hundred times as long as one
    with threadpool_limits(limits=1, user_api="openmp"):
        found = ceilings.comparable(samples, classify="detection" in areas)
        samples = replace(samples, views=found.views, real=found.real)
        for done, (area, stage) in enumerate(stages.items(), start=1):
            try:
                parts.extend(stage(samples))
            except Incomputable as reason:
                notes.append(f"{area}: not computed, {reason}")
            progress(Tick("evaluate", done, len(stages)))
        related = dependence(found.views[1], samples.random("dependence")) if "pairs" in areas else None
    order = list(METRICS)
    return Evaluation(
        rows=samples.tables[0].num_rows,
        holdout_rows=samples.tables[2].num_rows,
        scores=tuple(sorted((p for p in parts if isinstance(p, Score)), key=lambda score: order.index(score.name))),
        columns=tuple(p for p in parts if isinstance(p, ColumnError)),
        pairs=tuple(p for p in parts if isinstance(p, PairError))[:WORST_PAIRS],
        notes=tuple(notes),
        left_out=found.left_out,
        flaw=found.flaw,
        dependence=related,
    )


def _marginals(samples: Samples) -> Iterator[Part]:
    synthetic, train, holdout = samples.views
    values, ceilings = shape_errors(holdout, synthetic), shape_errors(holdout, train)
    if not values:
        raise Incomputable("the table has no column that can be compared")
    replicates = bootstrap.shape_replicates(holdout, synthetic, samples.weights())
    yield _replicated("shape_error", _mean(values.values()), _mean(ceilings.values()), replicates)
    for name in sorted(values, key=lambda name: -values[name]):
        yield ColumnError(name=name, error=values[name], ceiling=ceilings[name])


def _pairs(samples: Samples) -> Iterator[Part]:
    synthetic, train, holdout = samples.views
    pairs = column_pairs(holdout, MOST_PAIRS, samples.random("pairs"))
    values, ceilings = trend_errors(holdout, synthetic, pairs), trend_errors(holdout, train, pairs)
    if not values:
        raise Incomputable("the table has no pair of columns that vary")
    replicates = bootstrap.trend_replicates(holdout, synthetic, values, samples.weights())
    yield _replicated("trend_error", _mean(v.error for v in values), _mean(c.error for c in ceilings), replicates)
    own, own_ceiling = _mean(v.error_own_bins for v in values), _mean(c.error_own_bins for c in ceilings)
    yield Score.of("trend_error_own_bins", own, own_ceiling)
    beside = sorted(zip(values, ceilings, strict=True), key=lambda both: -both[0].error)
    for value, ceiling in beside[:WORST_PAIRS]:
        yield PairError(first=value.first, second=value.second, error=value.error, ceiling=ceiling.error)


def _distances(samples: Samples) -> Iterator[Part]:
    synthetic, train, holdout = samples.fresh_points()
    real, made, seen = (Gaussian.of(points) for points in (holdout, synthetic, train))
    yield Score.of("frechet", frechet(real, made), frechet(real, seen))
    rows = min(samples.settings.distance_rows, len(holdout), len(synthetic))
    nearest = _some(holdout, rows, samples.random("distances holdout"))
    found = []
    for points in (synthetic, train):
        other = _some(points, rows, samples.random("distances"))
        test = discrepancy(
            nearest, other, permutations=samples.settings.permutations, rng=samples.random("permutations")
        )
        found.append((*test, *manifold(nearest, other)))
    for name, value, ceiling in zip(("mmd2", "mmd_p", "density", "coverage"), *found, strict=True):
        yield Score.of(name, value, ceiling)


def _detection(samples: Samples) -> Iterator[Part]:
    synthetic, _, holdout = (view.sample(*samples.detection_rows()) for view in samples.views)
    value = detection.two_sample(holdout, synthetic, samples.random("detection"))
    ceiling = samples.real
    if ceiling is None:
        raise Incomputable("there are too few real rows")
    yield Score.of("c2st", value.score, ceiling.score, value.score_interval)
    yield Score.of("c2st_auc", value.auc, ceiling.auc, value.auc_interval)


def _utility(samples: Samples) -> Iterator[Part]:
    target = samples.settings.target
    if target is None:
        raise Incomputable("no target column is named in the settings")
    synthetic, train, holdout = samples.views
    state = int(samples.random("utility").integers(2**32))
    w = samples.weights()
    value, ceiling = (utility.utility(rows, holdout, target, state, w) for rows in (synthetic, train))
    yield _replicated("utility", value.value, ceiling.value, value.replicates)
    if value.rmse is not None and ceiling.rmse is not None:
        yield Score.of("utility_rmse", value.rmse, ceiling.rmse)


def _privacy(samples: Samples) -> Iterator[Part]:
    synthetic, train, holdout = samples.neighbour_points()
    rows = _some(synthetic, samples.settings.detection_rows, samples.random("privacy"))
    share = privacy.nearer_to_train(rows, train, holdout)
    yield Score.of("nearer_to_train", share.value, 0.5, share.interval)


def _replicated(name: str, value: float, ceiling: float, replicates: Floats) -> Score:
    """A score with the interval that its replicates give."""
    return Score.of(name, value, ceiling, bootstrap.interval(value, replicates), replicates.tolist())


def _some(points: Points, rows: int, rng: np.random.Generator) -> Points:
    """At most `rows` of the points, at random."""
    return points if rows >= len(points) else points[rng.choice(len(points), size=rows, replace=False)]


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


STAGES: Mapping[Area, Callable[[Samples], Iterator[Part]]] = {
    "marginals": _marginals,
    "pairs": _pairs,
    "distribution": _distances,
    "detection": _detection,
    "utility": _utility,
    "privacy": _privacy,
}
