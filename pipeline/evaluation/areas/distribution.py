"""Distances: distances between whole rows, as points of one feature space.

The Fréchet distance, the maximum mean discrepancy with a permutation test, density and coverage all depend on the
sample size. Compare them only with values at the same sizes, such as their ceilings.
"""

from typing import ClassVar

from pipeline.evaluation.areas.base import Area, Found, some
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Metric, Score
from pipeline.statistics.discrepancy import discrepancy
from pipeline.statistics.gaussians import Gaussian, frechet
from pipeline.statistics.neighbours import manifold


class Distances(Area):
    """Distances between rows in a feature space that was fitted to none of them."""

    name = "distribution"
    metrics: ClassVar = {
        "mmd2": Metric("min", "squared maximum mean discrepancy, unbiased; may be below 0"),
        "mmd_p": Metric("max", "chance of an MMD this large were both samples alike", 0.0),
        "frechet": Metric("min", "Fréchet distance of the features' means and covariances"),
        "coverage": Metric("max", "share of real rows with a synthetic row in their neighbourhood", 0.0),
        "density": Metric("max", "how crowded by real rows the places of synthetic rows are; alike is 1", 0.0),
    }

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        synthetic, train, holdout = samples.fresh_points()
        real, made, seen = (Gaussian.of(points) for points in (holdout, synthetic, train))
        scores = [Score.of("frechet", frechet(real, made), frechet(real, seen))]
        rows = min(samples.settings.distance_rows, len(holdout), len(synthetic))
        near = some(holdout, rows, samples.random("distances holdout"))
        found = []
        for points in (synthetic, train):
            other = some(points, rows, samples.random("distances"))
            test = discrepancy(
                near, other, permutations=samples.settings.permutations, rng=samples.random("permutations")
            )
            found.append((*test, *manifold(near, other)))
        for name, value, ceiling in zip(("mmd2", "mmd_p", "density", "coverage"), *found, strict=True):
            scores.append(Score.of(name, value, ceiling))
        return Found(tuple(scores))
