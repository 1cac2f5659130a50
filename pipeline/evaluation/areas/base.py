"""A group of scores: their meaning, their computation and their ceilings."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from pipeline.evaluation import bootstrap
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Metric, Score
from pipeline.evaluation.views import Floats
from pipeline.records import Record
from pipeline.statistics.neighbours import Points


class Found(NamedTuple):
    """The findings of an area.

    Attributes:
        scores: Its scores.
        details: Further records for the evaluation, by the names in `Area.details`.
    """

    scores: tuple[Score, ...]
    details: Mapping[str, tuple[Record, ...]] = {}


class Area(ABC):
    """One aspect of the data, or of the model, that an evaluation scores.

    Attributes:
        name: Its name in evaluations, notes and settings.
        metrics: Its scores, in the order in which they are reported.
        details: The types of the further records that it finds, by name. The names are keys of an evaluation's JSON.
    """

    name: ClassVar[str]
    metrics: ClassVar[Mapping[str, Metric]]
    details: ClassVar[Mapping[str, type[Record]]] = {}

    def concerns(self, samples: Samples) -> bool:  # noqa: ARG002
        """Whether the area applies to these samples. If not, the evaluation does not mention it."""
        return True

    @abstractmethod
    def look(self, samples: Samples) -> Found:
        """Compute its scores of the synthetic rows, each beside its ceiling.

        Raises:
            Incomputable: The scores have no meaning for this table.
        """


def replicated(name: str, value: float, ceiling: float, replicates: Floats) -> Score:
    """A score with the confidence interval that follows from its replicates."""
    return Score.of(name, value, ceiling, bootstrap.interval(value, replicates), replicates.tolist())


def some(points: Points, rows: int, rng: np.random.Generator) -> Points:
    """At most `rows` of the points, chosen at random."""
    return points if rows >= len(points) else points[rng.choice(len(points), size=rows, replace=False)]


def mean(values: Iterable[float]) -> float:
    """The mean of at least one value."""
    return float(np.mean(list(values)))
