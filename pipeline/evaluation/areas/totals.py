"""Totals: are means and sums of numbers right?

Distances of distributions hardly see a tail, and a tail holds most of the money. So for every column of numbers three
errors are computed, each as a share of the column's mean absolute value in the training rows:

- *mean*: of the mean of the values present;
- *total*: of the total per row, in which a null adds nothing;
- *top*: of the total of the values beyond the 99th percentile of the training rows.

The scores are the largest errors of any column *beyond chance*: less three standard errors of the difference, by the
deviation of all real rows, and less what the greatest single value adds, which a sample holds or not. So a heavy tail,
whose mean no sample knows well, raises no alarm, and more rows see smaller errors.

Other scores compare with the hold-out, which a generator cannot have memorised. No memory is needed for a total, so
synthetic rows are compared with the training rows, which are many. The ceiling is the error of the hold-out. A column
takes part if its `Measure` says that totals have a meaning (`Measure.sums`).
"""

from typing import ClassVar

import numpy as np

from pipeline.evaluation.areas.base import Area, Found
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Incomputable, Metric, Score, TotalError
from pipeline.evaluation.views import Floats, View

TOP = 0.99
CERTAIN = 3.0
"""Standard errors of a difference that chance may explain."""
PARTS = ("mean", "total", "top")


class Totals(Area):
    """The largest errors of a mean, of a total and of the total of the top percent, and the errors of each column."""

    name = "totals"
    metrics: ClassVar = {
        "mean_error": Metric("min", "largest error of a column's mean beyond chance, as a share of its mean size"),
        "total_error": Metric("min", "largest error of a column's total beyond chance, as a share of its total size"),
        "top_error": Metric("min", "the same of the total of the values in the top percent"),
    }
    details: ClassVar = {"totals": TotalError}

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        synthetic, train, holdout = samples.views
        names = [name for name in train.names if train.measures[name].sums and summed(train, name)]
        if not names:
            raise Incomputable("the table has no column of numbers with a total")
        found = {name: errors(train, synthetic, holdout, name) for name in names}
        real = {name: errors(train, holdout, holdout, name) for name in names}
        scores = tuple(
            Score.of(f"{part}_error", max(found[name][i, 1] for name in names), max(real[name][i, 1] for name in names))
            for i, part in enumerate(PARTS)
        )
        worst = sorted(names, key=lambda name: -found[name][1, 0])
        listed = (TotalError.of(name, found[name][:, 0], real[name][:, 0]) for name in worst)
        return Found(scores, {"totals": tuple(listed)})


def summed(real: View, name: str) -> bool:
    """Whether a column has a value other than 0, so that errors can be shares of its size."""
    return bool(np.nansum(np.abs(_numbers(real, name))) > 0)


def errors(train: View, other: View, holdout: View, name: str) -> Floats:
    """Errors of a column of `other`, for each of `PARTS`: in all, and beyond chance, [3, 2].

    The deviation that chance follows from is that of training and held-out rows together.
    """
    real, values, more = (_numbers(view, name) for view in (train, other, holdout))
    cut = float(np.nanquantile(real, TOP))
    size = float(np.nanmean(np.abs(real)))
    found = []
    for x, y, z in zip(_parts(real, cut), _parts(values, cut), _parts(more, cut), strict=True):
        if not len(x) or not len(y):
            found.append((0.0, 0.0))  # nulls only: that is a question of Shape
            continue
        difference = abs(float(x.mean() - y.mean()))
        deviation = float(np.concatenate([x, z]).std())
        greatest = max(float(np.abs(side).max(initial=0.0)) for side in (x, y, z))
        chance = CERTAIN * deviation * np.sqrt(1 / len(x) + 1 / len(y)) + greatest / min(len(x), len(y))
        found.append((difference / size, max(difference - chance, 0.0) / size))
    return np.array(found)


def _parts(values: Floats, cut: float) -> tuple[Floats, Floats, Floats]:
    """Numbers per row whose means are the mean, the total per row, and the total of the top per row."""
    present = ~np.isnan(values)
    return values[present], np.where(present, values, 0.0), np.where(values > cut, values, 0.0)


def _numbers(view: View, name: str) -> Floats:
    """The numbers of a column. Only finite ones: an infinity has no total."""
    numbers = view.measures[name].numbers(view[name])
    assert numbers is not None, "measures with sums have numbers"
    return np.where(np.isfinite(numbers), numbers, np.nan)
