"""Membership attacks: do synthetic rows show whether a real row was used in training?

An attacker knows the synthetic rows and some *reference* rows, which are real and were not used in training. The
attacker gives each *target* row a score. A high score means that the row is a likely *member* of the training rows.
Members and rows that are held out are attacked in the same way. The area under the ROC curve (AUC) of the scores says
how well the attack tells them apart: 0.5 is a guess, 1 is certainty.

No single attack is best everywhere (arXiv 2509.05350), so there are several:

- `nearest`: the distance to the nearest synthetic row (distance to the closest record).
- `nearest_difference`: the same distance, beside the distance to the nearest reference row.
- `density`: density of the synthetic rows over that of the reference rows, both from the distances to the nearest five
  (DOMIAS: van Breugel et al. 2023, arXiv 2302.12580; with the density estimate of Loftsgaarden & Quesenberry 1965).
- `crowd`: number of synthetic rows that are no farther than the fifth reference row (as the data plagiarism index of
  Ward et al. 2024, arXiv 2406.13012, counts rows of both kinds).
- `count`: number of synthetic rows within a fixed radius (Monte Carlo attack: Hilprecht et al. 2019).
- `classifier`: a classifier that learned to tell synthetic rows from reference rows.

Two attacks are *white box*. They need the model, so they say nothing of released rows:

- `bound`: the model's own bound of log p(row).
- `bound_calibrated`: the bound beyond what is usual for a row in so dense a place. Reference rows say what is usual.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from pipeline.evaluation.views import View, known
from pipeline.statistics.neighbours import Points, squared_distances

Floats = NDArray[np.float64]

NEAREST = 5
ROWS_AT_ONCE = 256
"""Targets at a time. It bounds the matrix of distances."""
RADIUS_ROWS = 500
"""Reference rows that choose the radius of `count`."""
EXACT = 1e-6
"""Squared distance. Rows that are nearer are equal but for rounding."""
LEAF_ROWS = 20


class Scene(NamedTuple):
    """What an attacker knows about the targets.

    Attributes:
        synthetic: Squared distances to the nearest synthetic rows, ascending, [targets, at most 5].
        reference: Squared distances to the nearest reference rows, ascending, [targets, at most 5].
        crowd: Number of synthetic rows no farther than the last of `reference`, [targets].
        within: Number of synthetic rows within a radius that is the same for all targets, [targets].
        classifier: Logits of a classifier of synthetic against reference rows, [targets].
        bound: The model's bound of log p(target) in nats, [targets]. None without a model.
        usual: The bound that is usual for a row in a place like that of the target, [targets]. None without a model.
    """

    synthetic: Floats
    reference: Floats
    crowd: Floats
    within: Floats
    classifier: Floats
    bound: Floats | None = None
    usual: Floats | None = None


Attack = Callable[[Scene], Floats]
"""Gives each target a score, [targets]. A high score means a likely member."""

BLACK_BOX: Mapping[str, Attack] = {
    "nearest": lambda scene: -scene.synthetic[:, 0],
    "nearest_difference": lambda scene: np.sqrt(scene.reference[:, 0]) - np.sqrt(scene.synthetic[:, 0]),
    "density": lambda scene: _sparsity(scene.reference) - _sparsity(scene.synthetic),
    "crowd": lambda scene: scene.crowd,
    "count": lambda scene: scene.within,
    "classifier": lambda scene: scene.classifier,
}
WHITE_BOX: Mapping[str, Attack] = {
    "bound": lambda scene: _given(scene.bound),
    "bound_calibrated": lambda scene: _given(scene.bound) - _given(scene.usual),
}


def around(targets: Points, synthetic: Points, reference: Points) -> tuple[Floats, Floats, Floats, Floats]:
    """The fields `synthetic`, `reference`, `crowd` and `within` of a `Scene`.

    Args:
        targets: Rows that are attacked, [targets, features].
        synthetic: Synthetic rows in the same space.
        reference: Reference rows in the same space.
    """
    few = reference[:: max(1, len(reference) // RADIUS_ROWS)]
    radius = float(np.median(squared_distances(few, synthetic).min(1)))
    found: list[tuple[Floats, Floats, Floats, Floats]] = []
    for start in range(0, len(targets), ROWS_AT_ONCE):
        some = targets[start : start + ROWS_AT_ONCE]
        own, other = squared_distances(some, synthetic), squared_distances(some, reference)
        near = _smallest(other)
        crowd = (own <= near[:, -1:] + EXACT).sum(1).astype(float)
        found.append((_smallest(own), near, crowd, (own <= radius + EXACT).sum(1).astype(float)))
    own, near, crowd, within = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return own, near, crowd, within


def nearest(targets: Points, synthetic: Points) -> Floats:
    """The field `synthetic` of a `Scene` alone."""
    starts = range(0, len(targets), ROWS_AT_ONCE)
    return np.concatenate([_smallest(squared_distances(targets[k : k + ROWS_AT_ONCE], synthetic)) for k in starts])


def classified(targets: Sequence[View], synthetic: View, reference: View, random: np.random.Generator) -> Floats:
    """Logits of a classifier that learned synthetic against reference rows, for the targets of all views in order."""
    made, real, asked = (
        np.concatenate([view.inputs() for view in views]) for views in ([synthetic], [reference], targets)
    )
    x, label = np.concatenate([made, real]), np.repeat([1, 0], [len(made), len(real)])
    model = HistGradientBoostingClassifier(
        early_stopping=False,
        min_samples_leaf=max(1, min(LEAF_ROWS, min(len(made), len(real)) // 5)),
        random_state=int(random.integers(2**32)),
    )
    model.fit(known(x, x), label)
    return np.asarray(model.decision_function(known(asked, x)), np.float64)


def usual(bounds: Floats, places: Floats, of: Floats) -> Floats:
    """The bound that is usual in a place.

    It is a linear function of the logarithms of the distances, fitted to reference rows by least squares.

    Args:
        bounds: Bounds of reference rows, [reference].
        places: Distances of these rows to their nearest synthetic rows, [reference, nearest].
        of: The same distances of the targets, [targets, nearest].
    """
    design, wanted = (np.column_stack([np.ones(len(d)), _sparsity(d)]) for d in (places, of))
    return np.asarray(wanted @ np.linalg.lstsq(design, bounds, rcond=None)[0])


def _smallest(distances: Floats) -> Floats:
    """The smallest distances of each row, ascending, [rows, at most `NEAREST`]."""
    k = min(NEAREST, distances.shape[1])
    return np.sort(np.partition(distances, k - 1, axis=1)[:, :k], axis=1)


def _sparsity(squared: Floats) -> Floats:
    """Mean logarithm of the squared distances to the nearest rows, [targets]. It is large where rows are rare."""
    return np.asarray(np.log(squared + EXACT).mean(1))


def _given(values: Floats | None) -> Floats:
    assert values is not None, "a white-box attack needs the bounds of a model"
    return values
