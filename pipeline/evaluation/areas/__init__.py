"""The areas of an evaluation.

`AREAS` holds every area, in the order in which their scores are reported. A new area is a subclass of `Area`.
`register` adds it, with its metrics and details.
"""

from pipeline.errors import SettingsError
from pipeline.evaluation.areas.attacks import Attacks
from pipeline.evaluation.areas.base import Area, Found
from pipeline.evaluation.areas.detection import Detection
from pipeline.evaluation.areas.distribution import Distances
from pipeline.evaluation.areas.marginals import Marginals
from pipeline.evaluation.areas.model import Model
from pipeline.evaluation.areas.pairs import Pairs
from pipeline.evaluation.areas.privacy import Privacy
from pipeline.evaluation.areas.risks import Risks
from pipeline.evaluation.areas.totals import Totals
from pipeline.evaluation.areas.utility import Utility
from pipeline.evaluation.scores import DETAILS, METRICS

__all__ = ["AREAS", "Area", "Found", "register"]

AREAS: dict[str, Area] = {}


def register(area: Area) -> None:
    """Add an area. Every evaluation computes it from now on.

    Raises:
        SettingsError: Its name, or the name of one of its metrics or details, is taken.
    """
    taken = [area.name in AREAS, not METRICS.keys().isdisjoint(area.metrics)]
    if any(taken) or not DETAILS.keys().isdisjoint(area.details):
        raise SettingsError(f"expected an area, metrics and details of new names, got {area.name!r}")
    AREAS[area.name] = area
    METRICS.update({name: metric._replace(area=area.name) for name, metric in area.metrics.items()})
    DETAILS.update(area.details)


for _area in (
    Marginals(),
    Totals(),
    Pairs(),
    Distances(),
    Detection(),
    Utility(),
    Privacy(),
    Attacks(),
    Risks(),
    Model(),
):
    register(_area)
