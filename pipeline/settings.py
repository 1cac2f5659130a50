"""Every choice that a user can make about what the loop does, apart from what carries it out.

So whoever only reads settings, to say what is wrong with them or to look at a table, waits for no network and no
classifier to be imported. A record stands beside the code that it belongs to where that is light: how tables are read
and split (`pipeline.data.tables`), what has come in (`pipeline.data.incoming`), and columns (`pipeline.schema`).
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from pipeline.columns import Novel
from pipeline.data.incoming import IncomingSettings
from pipeline.data.tables import ReadSettings, SplitSettings
from pipeline.records import Record
from pipeline.schema import ColumnSettings, PrivacySettings

SCORES = (
    "shape_error",
    "trend_error",
    "trend_error_own_bins",
    "mmd2",
    "mmd_p",
    "frechet",
    "coverage",
    "density",
    "c2st",
    "c2st_auc",
    "utility",
    "utility_rmse",
    "nearer_to_train",
)
"""Names of scores that have a ceiling: those of `pipeline.evaluation.scores.METRICS`, which a test compares."""
Activation = Literal["silu", "gelu", "relu", "tanh"]
PriorName = Literal["normal", "mixture", "flow"]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class ModelSettings(Record):
    """The network; `None` is chosen by the size of the table. See `pipeline.models.vae.Shape` for meanings."""

    latent: int = Field(default=12, ge=1, le=1024)
    width: int | None = Field(default=None, ge=1, le=8192)
    hidden: int | None = Field(default=None, ge=1, le=8192)
    components: int | None = Field(default=None, ge=1, le=65_536)
    mixture: int = Field(default=8, ge=1, le=1024)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    blank: float = Field(default=0.15, ge=0, lt=1)
    activation: Activation = "silu"
    prior: PriorName = "mixture"
    decoder: Literal["autoregressive", "factorised"] = "autoregressive"


class TrainingSettings(Record):
    """How the network is trained; `None` is chosen by the size of the table.

    Attributes:
        epochs: Passes over the training rows; 0 leaves the network as it begins.
        batch: Rows of a step.
        optimizer: "adamw", "adam", "nadam" or "sgd" (with momentum .9).
        schedule: The schedule of the learning rate: "one-cycle", "cosine" (from the peak down) or "constant".
        rate: Peak learning rate.
        weight_decay: Decoupled weight decay; what belongs to a single symbol has `SYMBOLS` times as much.
        beta: Weight of the KL after warm-up.
        warmup: Share of the steps, or of each cycle, in which β rises from 0.
        annealing: How β rises: "linear", once; or "cyclical", four times (Fu et al. 2019).
        free_bits: Rate of the latent, in nats per row, for which the encoder does not pay; at most 8, and less where
            rows hold little information.
        clip: Largest norm of the gradient.
        patience: Epochs without a better validation ELBO after which training settles from the best weights; by default
            a tenth of all, and at least 5.
        time_limit: Most seconds of training, with all that ends it.
        device: "cpu", "cuda", or "auto" for a GPU where there is one.
    """

    epochs: int | None = Field(default=None, ge=0, le=1_000_000)
    batch: int | None = Field(default=None, ge=1, le=1_048_576)
    optimizer: Literal["adamw", "adam", "nadam", "sgd"] = "adamw"
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    rate: PositiveFloat = 2e-3
    weight_decay: NonNegativeFloat | None = None
    beta: NonNegativeFloat = 1.0
    warmup: float = Field(default=0.1, ge=0, le=1)
    annealing: Literal["linear", "cyclical"] = "linear"
    free_bits: NonNegativeFloat | None = None
    clip: PositiveFloat = 1.0
    patience: int | None = Field(default=None, ge=1, le=1_000_000)
    time_limit: PositiveFloat = 300.0
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:[0-9]{1,3})?)$")


class EvaluationSettings(Record):
    """How much is compared.

    Attributes:
        target: column to predict for the utility score; None for no such score.
        rows: most rows of each table for marginals, pairs, the Fréchet distance and utility.
        detection_rows: most rows per side for the classifier, and most synthetic rows to find the nearest real rows of.
        distance_rows: most rows per side for MMD, density and coverage, whose cost is quadratic.
        permutations: random relabellings of the MMD test.
    """

    target: str | None = None
    rows: int = Field(default=50_000, ge=1, le=10**9)
    detection_rows: int = Field(default=10_000, ge=100, le=10**7)
    distance_rows: int = Field(default=2_000, ge=100, le=20_000)
    permutations: int = Field(default=200, ge=20, le=100_000)


class DriftSettings(Record):
    """From what size on a change matters, however certain it is.

    Attributes:
        false_alarms: Chance that a comparison without drift reports any.
        values: Kolmogorov–Smirnov or total variation distance, from 0 to 1.
        nulls: Change of the null rate.
        labels: Share of rows with labels that the other table does not have.
        correlation: Change of a correlation.
        rows: Maximum mean discrepancy of rows, from 0 to √2.
        likelihood: Fall of the ELBO in units of its standard deviation over rows.
        latent: Move of the posterior mean of a latent dimension, in units of its standard deviation over rows.
        classifier: Rise of the area under the ROC curve of a classifier.
        ignore: Columns that are listed but never drift: counters, calendar years, batch ids.
    """

    false_alarms: float = Field(default=0.001, gt=0, lt=1)
    values: float = Field(default=0.05, ge=0, le=1)
    nulls: float = Field(default=0.02, ge=0, le=1)
    labels: float = Field(default=0.01, ge=0, le=1)
    correlation: float = Field(default=0.1, ge=0, le=2)
    rows: float = Field(default=0.02, ge=0, le=2)
    likelihood: float = Field(default=0.1, ge=0)
    latent: float = Field(default=0.2, ge=0)
    classifier: float = Field(default=0.05, ge=0, le=0.5)
    ignore: tuple[str, ...] = ()


class PolicySettings(Record):
    """When a training starts, and from what.

    Attributes:
        train: "always": every run trains afresh, as whoever starts or schedules one expects; "needed": the rules
            decide.
        new_labels: What a warm start does about labels that the champion does not know: "extend" gives each a
            symbol of its own, "bucket" one symbol to all of a column, "refuse" ends the run.
        new_columns: Whether a table whose columns are not the champion's is trained on afresh or ends the run.
        votes: Drift must be found in so many …
        window: … of so many last checks, this one included.
        severe: Share of the columns which, drifted in one check, calls for a training afresh at once.
        likelihood: Fall of the champion's ELBO from its own hold-out to the new rows, in units of its standard
            deviation over rows, from which on the champion no longer describes them; the drift report knows the fall
            and from where on it is certain.
        growth: New rows, as a share of the rows that the champion knows, which are worth a training by themselves.
        oldest_days: Age of the champion from which on it is trained afresh.
        warm_starts: Most warm starts in a row: normalization is extended by each, and fitted anew only afresh.
        cool_down_hours: Time after a training in which no other starts, or none on account of drift if every run
            trains; a little below a day suits daily runs.
    """

    train: Literal["always", "needed"] = "always"
    new_labels: Novel = "extend"
    new_columns: Literal["retrain", "refuse"] = "refuse"
    votes: PositiveInt = 2
    window: int = Field(default=3, ge=1, le=1000)
    severe: float = Field(default=0.5, gt=0, le=1)
    likelihood: PositiveFloat = 0.25
    growth: PositiveFloat = 0.5
    oldest_days: PositiveFloat = 30.0
    warm_starts: NonNegativeInt = 5
    cool_down_hours: NonNegativeFloat = 20.0

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.votes > self.window:
            raise ValueError(f"expected votes of at most the window of {self.window} checks, got {self.votes}")
        return self


class GateSettings(Record):
    """What a challenger must reach.

    Attributes:
        limits: per score, how much worse than its ceiling it may be. The defaults let through what is usable and
            stop what is broken: columns off by five points more than chance, pairs by six, rows that a
            classifier tells from real ones with an AUC of .85, or that lie close to training rows.
        active_units: how many latent dimensions must vary with the row; 0: do not ask. Without any, the decoder alone
            makes the rows: they may be good, but z says nothing about them. Unless it is set, tables of independent
            columns need none.
        margins: per score, how much worse than the champion's it may be.
        approval: Who has the last word on a version that passes: the gate, or a "person" who is asked.
        patience_hours: How long a person is waited for; no answer is a no.
    """

    limits: Mapping[str, NonNegativeFloat] = Field(
        default={"shape_error": 0.05, "trend_error": 0.06, "c2st": 0.7, "nearer_to_train": 0.1}
    )
    active_units: NonNegativeInt = 1
    margins: Mapping[str, NonNegativeFloat] = Field(
        default={"shape_error": 0.005, "trend_error": 0.01, "c2st": 0.05, "nearer_to_train": 0.02}
    )
    approval: Literal["gate", "person"] = "gate"
    patience_hours: float = Field(default=24.0, gt=0, le=8760)

    @field_validator("limits", "margins")
    @classmethod
    def _known(cls, named: Mapping[str, float]) -> Mapping[str, float]:
        unknown = sorted(set(named) - set(SCORES))
        if unknown:
            raise ValueError(f"expected names among {', '.join(SCORES)}; got {', '.join(unknown)}")
        return named


class LoopSettings(Record):
    """Every choice that what the loop does depends on.

    Attributes:
        seed: The seed of the training, the evaluation and the published rows.
        columns: What is fixed about single columns, by name.
        incoming: Present, even if empty: the data is a heap of files that grows, and a run trains only on account
            of what is new in it. Absent: every run trains on all of the data.
    """

    seed: Seed = 0
    read: ReadSettings = ReadSettings()
    split: SplitSettings = SplitSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    policy: PolicySettings = PolicySettings()
    gate: GateSettings = GateSettings()
    drift: DriftSettings = DriftSettings()
    privacy: PrivacySettings = PrivacySettings()
    columns: Mapping[str, ColumnSettings] = {}
    incoming: IncomingSettings | None = None
