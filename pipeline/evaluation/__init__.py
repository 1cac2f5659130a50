"""Compare synthetic rows with real rows that the generator has not seen.

`evaluate` compares a synthetic table with the hold-out. It also compares an equally large sample of the training table
with the same hold-out. Every score carries both values (`Score.value`, `Score.ceiling`). Computations that grow faster
than linearly with the rows use bounded random samples, so time and memory depend on the settings and not on the data.

The scores are grouped into *areas* (`pipeline.evaluation.areas`). An area defines its scores, how they are computed and
what their ceilings are, and may add details. The model's ELBO on the hold-out is an area too.

A score without meaning for a table (too few rows, no columns to compare) is absent, and a note says why. Columns in
which real rows cannot be compared are left out (`pipeline.evaluation.ceilings`). The evaluation also says whether the
real columns depend on each other (`pipeline.evaluation.dependence`).
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from threadpoolctl import threadpool_limits

from pipeline import columns
from pipeline.evaluation import ceilings
from pipeline.evaluation.areas import AREAS, Area, Found, register
from pipeline.evaluation.areas.model import Told
from pipeline.evaluation.dependence import dependence
from pipeline.evaluation.samples import Likelihoods, Samples
from pipeline.evaluation.scores import (
    METRICS,
    ColumnError,
    Dependence,
    Evaluation,
    Goal,
    Incomputable,
    LeftOut,
    Metric,
    PairError,
    Score,
    TotalError,
)
from pipeline.frames import Frame, alike
from pipeline.progress import Progress, Tick, part, silent, ticked
from pipeline.schema import Schema
from pipeline.settings import EvaluationSettings

__all__ = [
    "AREAS",
    "METRICS",
    "Area",
    "ColumnError",
    "Dependence",
    "Evaluation",
    "Found",
    "Goal",
    "LeftOut",
    "Metric",
    "PairError",
    "Score",
    "Told",
    "TotalError",
    "evaluate",
    "register",
]


def evaluate(
    synthetic: Frame,
    *,
    holdout: Frame,
    train: Frame,
    schema: Schema | None = None,
    settings: EvaluationSettings | None = None,
    seed: int = 0,
    areas: Collection[str] | None = None,
    told: Told | None = None,
    likelihood: Likelihoods | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Compare `synthetic` with `holdout`, and `train` with `holdout` for the ceilings.

    Args:
        synthetic: Generated rows. Each table may be an Arrow table, a pandas frame or a Polars frame.
        holdout: Real rows that the generator has not seen.
        train: Real rows that the generator was trained on.
        schema: The schema of all three tables. By default it is inferred from the training rows.
        settings: Bounds on rows, and the target for utility.
        seed: The seed of the samples, permutations and classifiers.
        areas: Names of the areas to compute. All of `AREAS` by default.
        told: The likelihood of the hold-out under the model, such as an `ElboReport`. Without one, the area `model` is
            skipped.
        likelihood: The model's bound of log p of each row of a table, for attacks that need the model.
        progress: Called after every area.

    Raises:
        TableError: A table has no rows, or lacks a column of the schema.
        SettingsError: The target is not a column of the schema.

    Example:
        >>> import pandas as pd
        >>> from pipeline import evaluate
        >>> frame = pd.DataFrame({"age": [20, 30, 40, 50] * 25, "member": [True, False] * 50})
        >>> found = evaluate(frame[:40], holdout=frame[40:60], train=frame[60:], areas=["marginals"])
        >>> score = found["shape_error"]
        >>> score.value == score.ceiling == 0  # the same shares in all three
        True
    """
    schema, settings = schema or columns.infer(train), settings or EvaluationSettings()
    tables = (alike(frame, schema.arrow) for frame in (synthetic, train, holdout))
    samples = replace(
        Samples.draw(*tables, schema=schema, settings=settings, seed=seed), told=told, likelihood=likelihood
    )
    asked = [area for area in AREAS.values() if (areas is None or area.name in areas) and area.concerns(samples)]
    # OpenMP's threads spin while they wait: on a busy machine, two threads take a hundred times as long as one
    with threadpool_limits(limits=1, user_api="openmp"):
        return _evaluated(samples, asked, progress)


def _evaluated(samples: Samples, asked: Sequence[Area], progress: Progress) -> Evaluation:
    """Compute areas for the columns in which real rows can be compared."""
    names = {area.name for area in asked}
    steps = len(asked) + 2  # what is comparable, the areas, and dependence
    progress(Tick("evaluate", 0, steps))
    found = ceilings.comparable(samples, classify="detection" in names)
    samples = replace(samples, views=found.views, real=found.real)
    seen, notes = _seen(samples, asked, part(progress, 1 / steps, 1 - 1 / steps))
    order = list(METRICS)
    return Evaluation(
        rows=samples.tables[0].num_rows,
        holdout_rows=samples.tables[2].num_rows,
        scores=tuple(sorted((s for each in seen for s in each.scores), key=lambda score: order.index(score.name))),
        details={name: records for each in seen for name, records in each.details.items()},
        notes=tuple(notes),
        left_out=found.left_out,
        flaw=found.flaw,
        dependence=dependence(found.views[1], samples.random("dependence")) if "pairs" in names else None,
    )


def _seen(samples: Samples, asked: Sequence[Area], progress: Progress) -> tuple[list[Found], list[str]]:
    """What the areas find, and a note for each area that cannot be computed."""
    found, notes = [], []
    for area in ticked(asked, "evaluate", progress):
        try:
            found.append(area.look(samples))
        except Incomputable as reason:
            notes.append(f"{area.name}: not computed, {reason}")
    return found, notes
