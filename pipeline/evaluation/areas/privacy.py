"""Privacy: is the generator closer to rows that it saw than to rows that it did not see?

For each synthetic row, find the nearest of all real rows, training and held-out ones together. If synthetic rows are
drawn from the population, every real row is equally likely to be the nearest. So the share of training rows among the
nearest, corrected for their greater number, is one half. It is 1 for a generator that copies. If training and held-out
rows are equally many, this is the usual share of rows with a smaller distance to the closest training record. The test
is necessary and not sufficient: it passes models that attacks break (arXiv 2505.01524).

If held-out rows differ from training rows for another reason, such as a later time, rows that copy nothing are nearer
to training rows too. So one half of the training rows is compared with the other half in the same way. The ceiling is
what this surely reaches: one half if training and held-out rows are alike.
"""

from typing import ClassVar, NamedTuple

import numpy as np
from scipy.special import expit, logit

from pipeline.evaluation.areas.base import Area, Found, some
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import NORMAL_95, Metric, Score
from pipeline.statistics.neighbours import Points, squared_distances

ROWS_AT_ONCE = 512  # synthetic rows at a time: bounds the distance matrix
NEITHER = 0.5  # the share of rows that are as near to training as to held-out rows
TIE = 1e-9  # rounding error of the distances of equal rows


class Privacy(Area):
    """An attack on the training rows. Its ceiling is the share of real rows that are no training rows."""

    name = "privacy"
    metrics: ClassVar = {
        "nearer_to_train": Metric("min", "share of rows nearest to a training row, not a held-out one; ideal 0.5", 1.0)
    }

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        synthetic, train, holdout = samples.neighbour_points()
        rows = some(synthetic, samples.settings.detection_rows, samples.random("privacy"))
        share = nearer_to_train(rows, train, holdout)
        ceiling = max(NEITHER, control(train, holdout, samples).interval[0])
        return Found((Score.of("nearer_to_train", share.value, ceiling, share.interval),))


class Share(NamedTuple):
    """The share of rows nearer to training rows, and its 95 % confidence interval."""

    value: float
    interval: tuple[float, float]


def nearer_to_train(synthetic: Points, train: Points, holdout: Points) -> Share:
    """Share of synthetic rows whose nearest real row is a training row, as if `holdout` had as many rows as `train`.

    Several real rows at the same least distance share the credit equally. The interval is that of a ratio of counts.
    Each side has at most as many independent counts as rows.
    """
    won = 0.0
    for start in range(0, len(synthetic), ROWS_AT_ONCE):
        rows = synthetic[start : start + ROWS_AT_ONCE]
        to_train, to_holdout = squared_distances(rows, train), squared_distances(rows, holdout)
        least = np.minimum(to_train.min(1), to_holdout.min(1))[:, None] + TIE
        tied_train, tied_holdout = (to_train <= least).sum(1), (to_holdout <= least).sum(1)
        won += float((tied_train / (tied_train + tied_holdout)).sum())
    lost = len(synthetic) - won
    ours, theirs = won / len(train), lost / len(holdout)
    # half a row for each side keeps the interval finite if a side never won
    centre = logit((won + 0.5) / len(train) / ((won + 0.5) / len(train) + (lost + 0.5) / len(holdout)))
    spread = NORMAL_95 * np.sqrt(1 / (min(won, len(train)) + 0.5) + 1 / (min(lost, len(holdout)) + 0.5))
    return Share(ours / (ours + theirs), (float(expit(centre - spread)), float(expit(centre + spread))))


def control(train: Points, holdout: Points, samples: Samples) -> Share:
    """The share of one half of the training rows, if only the other half were training rows."""
    halves = np.array_split(samples.random("privacy control").permutation(len(train)), 2)
    fresh = some(train[halves[0]], samples.settings.detection_rows, samples.random("privacy"))
    return nearer_to_train(fresh, train[halves[1]], holdout)
