"""What a look for drift is asked, and what it finds."""

from typing import NamedTuple

from pipeline.records import Record


class Finding(Record):
    """One comparison: how large the change is, from where on it counts, and a line that says so.

    Attributes:
        column: The column; of a pair both, as "a × b"; "all columns" for whole rows.
        kind: The kind of the column; "pair", "table" or "model" for the others.
        what: What was compared: "schema", "nulls", "correlation", "rows", "likelihood", "latent", "classifier", or an
            effect of the column's measure, such as "values" or "new labels".
        size: The effect.
        low: Lower end of its 95 % confidence interval.
        high: Upper end of it.
        threshold: The size beyond which it is drift.
        drifted: Whether it is.
        text: All of this in words.
    """

    column: str
    kind: str
    what: str
    size: float
    low: float
    high: float
    threshold: float
    drifted: bool
    text: str


class DriftReport(Record):
    """All findings, those farthest beyond their threshold first.

    Attributes:
        drifted: Whether any finding drifted.
        findings: Every column's, and those of the pairs that changed most.
        reference_rows: Rows behind the reference profile.
        rows: Rows of the incoming table.
        notes: What could not be told, and what was compared otherwise than the settings say.

    Example:
        >>> import pandas as pd
        >>> from pipeline import Reference, compare, infer
        >>> frame = pd.DataFrame({"age": [20, 30, 40, 50] * 100})
        >>> reference = Reference.of(frame, infer(frame))
        >>> report = compare(reference, reference.profile_of([frame]))
        >>> report.drifted, report.rows
        (False, 400)
    """

    drifted: bool
    findings: tuple[Finding, ...]
    reference_rows: int
    rows: int
    notes: tuple[str, ...] = ()


class ModelView(Record):
    """What a model says of rows.

    Attributes:
        rows: Rows looked at.
        without: Columns that the model was not told: those that move on, and ignored ones.
        elbo: Mean over rows, in nats.
        elbo_deviation: Standard deviation of the ELBO over rows.
        latent_mean: Mean over rows of the posterior mean of each dimension.
        latent_deviation: Its standard deviation over rows.
        auc: The AUC of a classifier that tells the rows from as many of the model's own; None where they are too few.
        auc_deviation: Standard error of that.
        told: Rows of either side that the classifier was given.
    """

    rows: int
    without: tuple[str, ...]
    elbo: float
    elbo_deviation: float
    latent_mean: tuple[float, ...]
    latent_deviation: tuple[float, ...]
    auc: float | None
    auc_deviation: float
    told: int


class Views(NamedTuple):
    """What a model says of the rows held out of its training, and of the incoming rows."""

    holdout: ModelView
    incoming: ModelView
