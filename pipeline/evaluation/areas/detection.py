"""Detection: can a classifier tell synthetic rows from real ones?"""

from typing import ClassVar

from pipeline.evaluation.areas.base import Area, Found
from pipeline.evaluation.detection import two_sample
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Incomputable, Metric, Score


class Detection(Area):
    """The classifier two-sample test. Its ceiling is the result for training rows."""

    name = "detection"
    metrics: ClassVar = {
        "c2st": Metric("max", "1: gradient boosting cannot tell the rows from real ones; 0: it always can", 0.0),
        "c2st_auc": Metric("min", "area under the curve of that classifier; 0.5 is a coin toss", 1.0),
    }

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        synthetic, _, holdout = (view.sample(*samples.detection_rows()) for view in samples.views)
        value = two_sample(holdout, synthetic, samples.random("detection"))
        ceiling = samples.real
        if ceiling is None:
            raise Incomputable("there are too few real rows")
        return Found(
            (
                Score.of("c2st", value.score, ceiling.score, value.score_interval),
                Score.of("c2st_auc", value.auc, ceiling.auc, value.auc_interval),
            )
        )
