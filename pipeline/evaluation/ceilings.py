"""Find columns in which real rows cannot be compared with real rows.

A score is read beside its ceiling, which is the score of real training rows. Some columns spoil both, so that any rows
would pass. These columns are found, named, and left out of Shape, Trend and the classifier:

- *labels that hardly repeat*: a tenth or more of the held-out rows have a label that no training row has. No generator
  could produce these labels, and the total variation distance of two real samples is as large as that of any two
  tables.
- *columns in which real rows differ*: a classifier that sees this column alone tells training rows from held-out rows.
  This happens, for example, when the held-out rows are from a later time.

Both findings must be certain: by at least three standard errors for shares and four for the classifier. In a small
table a tenth may be chance, and such a table loses no column. If the classifier tells real rows from real rows even
without these columns, or if no column is left, the scores say nothing, and the evaluation has a `flaw`.
"""

from math import sqrt
from typing import NamedTuple

from pipeline.evaluation.detection import TwoSample, two_sample
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Incomputable, LeftOut
from pipeline.evaluation.views import View
from pipeline.statistics.auc import by_chance

UNSEEN = 0.1  # share of held-out rows with labels that are new to training
FEWEST = 20  # rows of either side; fewer training rows need not show all labels
UNSEEN_ERRORS = 3.0  # standard errors that make a share certain
TOLD_APART = 0.05  # AUC above one half that matters; it costs C2ST a tenth
TOLD_ERRORS = 4.0  # standard errors that make an AUC certain
SEARCH_ROWS = 2_000  # per side, for the test of single columns


class Comparable(NamedTuple):
    """The columns that are left to compare.

    Attributes:
        views: Synthetic, training and held-out rows, with the columns that are left.
        left_out: The columns that are left out although they have something to compare.
        flaw: Why the scores of the columns that are left say nothing. None if the scores are sound.
        real: The classifier's result on training and held-out rows. None if it was not asked for, or there are too few
            rows.
    """

    views: tuple[View, View, View]
    left_out: tuple[LeftOut, ...]
    flaw: str | None
    real: TwoSample | None


def comparable(samples: Samples, *, classify: bool) -> Comparable:
    """Find the columns in which real rows can be compared. The classifier runs only if `classify` is true."""
    _, train, holdout = samples.views
    left_out = tuple(unrepeated(train, holdout))
    real = _real(samples, left_out) if classify else None
    if real is not None and _told_apart(real, train, holdout, samples):
        left_out = (*left_out, *_telling(samples, left_out))
        real = _real(samples, left_out)
    flaw = None
    if len(left_out) == len(train.names) > 0:
        flaw = "no column is left in which rows can be compared with real ones: the scores say nothing of these rows"
    elif real is not None and _told_apart(real, train, holdout, samples):
        flaw = (
            f"a classifier tells training rows from held-out rows (AUC {real.auc:.3f}) by several columns together: "
            "the scores say nothing of these rows"
        )
    return Comparable(_without(samples, left_out), left_out, flaw, real)


def unrepeated(train: View, holdout: View) -> list[LeftOut]:
    """Columns whose labels hardly repeat. Fewer than `FEWEST` rows show nothing."""
    found: list[LeftOut] = []
    if min(train.rows, holdout.rows) < FEWEST:
        return found
    for name, values in holdout.values.items():
        share = holdout.measures[name].unrepeated(train[name], values)
        if _least(share, holdout.rows) > UNSEEN:
            found.append(LeftOut(column=name, reason="labels", size=share))
    return found


def _least(share: float, rows: int) -> float:
    """Lower end of Wilson's interval for a share."""
    z = UNSEEN_ERRORS**2 / rows
    return (share + z / 2 - sqrt(z * share * (1 - share) + z**2 / 4)) / (1 + z)


def _without(samples: Samples, left_out: tuple[LeftOut, ...]) -> tuple[View, View, View]:
    synthetic, train, holdout = (view.without([found.column for found in left_out]) for view in samples.views)
    return synthetic, train, holdout


def _real(samples: Samples, left_out: tuple[LeftOut, ...]) -> TwoSample | None:
    """The classifier's result on real rows, computed in the same way as the score of synthetic rows."""
    _, train, holdout = (view.sample(*samples.detection_rows()) for view in _without(samples, left_out))
    try:
        return two_sample(holdout, train, samples.random("detection"))
    except Incomputable:
        return None


def _telling(samples: Samples, left_out: tuple[LeftOut, ...]) -> list[LeftOut]:
    """Columns by which alone a classifier tells training rows from held-out rows."""
    _, train, holdout = (view.sample(SEARCH_ROWS, samples.random("ceilings")) for view in _without(samples, left_out))
    found = []
    for name in train.names:
        try:
            alone = two_sample(holdout.only(name), train.only(name), samples.random("detection"))
        except Incomputable:
            continue
        if _told_apart(alone, train, holdout, samples):
            found.append(LeftOut(column=name, reason="real rows", size=alone.auc))
    return found


def _told_apart(found: TwoSample, train: View, holdout: View, samples: Samples) -> bool:
    """Whether a classifier tells rows apart beyond chance, and by an amount that matters."""
    n, m = (min(view.rows, samples.settings.detection_rows) for view in (train, holdout))
    deviation = max(found.auc_deviation, by_chance(n, m))
    return found.auc - TOLD_ERRORS * deviation > 0.5 + TOLD_APART
