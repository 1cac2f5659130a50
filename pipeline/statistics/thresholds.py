"""From which score on a row counts as an anomaly (`pipeline.queries.anomaly`)."""

from typing import Self

from pydantic import Field, model_validator

from pipeline.records import Record

FALSE_ALARMS = 0.01
"""Share of ordinary rows that count as anomalies if nothing else is set."""


class ScoreSettings(Record):
    """Which rows count as anomalies. At most one of the keys is set; without any, `false_alarms` is 0.01.

    Attributes:
        false_alarms: Share of ordinary rows that may be taken for anomalies: those with a p-value of at most this.
        quantile: Quantile of the scores of the given rows beyond which a row is an anomaly: with 0.99, every hundredth
            row is one, however ordinary.
        robust_z: Distance from the median score of known rows, in standard deviations estimated from the median
            absolute deviation, beyond which a row is an anomaly (3.5: Iglewicz & Hoaglin 1993).

    Example:
        >>> from pipeline import ScoreSettings
        >>> ScoreSettings(quantile=0.95).chosen
        ('quantile', 0.95)
    """

    false_alarms: float | None = Field(default=None, gt=0, lt=1)
    quantile: float | None = Field(default=None, gt=0, lt=1)
    robust_z: float | None = Field(default=None, gt=0, le=1e6)

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name, level in self if level is not None]
        if len(given) > 1:
            raise ValueError(f"expected one threshold, got {' and '.join(given)}")
        return self

    @property
    def chosen(self) -> tuple[str, float]:
        """The threshold that is set, and its level."""
        return next(((name, level) for name, level in self if level is not None), ("false_alarms", FALSE_ALARMS))
