"""Distances: distances between whole rows, as points of one feature space.

All of these scores depend on the sample size. The Fréchet distance of two real samples of n rows grows as d²/n with the
number of dimensions d, and is never 0. Compare scores only with values at the same sizes, such as their ceilings: those
compare as many training rows with the same held-out rows, in a space that was fitted to neither.
"""

from typing import ClassVar

from pipeline.evaluation.areas.base import Area, Found, some
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Metric, Score
from pipeline.statistics.discrepancy import discrepancy
from pipeline.statistics.gaussians import Gaussian, frechet
from pipeline.statistics.neighbours import Manifold, Pooled, manifold
from pipeline.statistics.supports import Faithfulness, faithfulness

OF_PAIRS = ("mmd2", "mmd_p", *Manifold._fields, *Faithfulness._fields)
"""The scores that are computed from the distances of all pairs of rows."""


class Distances(Area):
    """Distances between rows in a feature space that was fitted to none of them."""

    name = "distribution"
    metrics: ClassVar = {
        "mmd2": Metric("min", "squared maximum mean discrepancy, unbiased; may be below 0"),
        "mmd_p": Metric("max", "chance of an MMD this large were both samples alike", 0.0),
        "frechet": Metric("min", "Fréchet distance of the features' means and covariances"),
        "coverage": Metric("max", "share of real rows with a synthetic row in their neighbourhood", 0.0),
        "density": Metric("max", "how crowded by real rows the places of synthetic rows are; alike is 1", 0.0),
        "precision": Metric("max", "share of synthetic rows in the neighbourhood of a real row", 0.0),
        "recall": Metric("max", "share of real rows in the neighbourhood of a synthetic row", 0.0),
        "alpha_precision": Metric("max", "synthetic rows are as typical and as odd as real ones; alike is 1", 0.0),
        "beta_recall": Metric("max", "real rows, typical and odd, have a synthetic row nearby; alike is 0.5", 0.0),
    }

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        synthetic, train, holdout = samples.fresh_points()
        real, made, seen = (Gaussian.of(points) for points in (holdout, synthetic, train))
        scores = [Score.of("frechet", frechet(real, made), frechet(real, seen))]
        rows = min(samples.settings.distance_rows, len(holdout), len(synthetic))
        near = some(holdout, rows, samples.random("distances holdout"))
        measured = []
        for points in (synthetic, train):
            pooled = Pooled.of(near, some(points, rows, samples.random("distances")))
            rng = samples.random("permutations")
            test = discrepancy(pooled, permutations=samples.settings.permutations, rng=rng)
            measured.append((*test, *manifold(pooled), *faithfulness(pooled)))
        scores += [Score.of(*each) for each in zip(OF_PAIRS, *measured, strict=True)]
        return Found(tuple(scores))
