"""Every choice that a user can make about the loop, without the code that carries it out.

Reading settings therefore imports no network and no classifier, so a mistake is reported at once and
`resynth inspect` starts fast. A record stands beside the code that uses it where that code is light: reading and
splitting (`pipeline.data.tables`), incoming files (`pipeline.data.incoming`) and columns (`pipeline.schema`).

The docstrings of the records are the reference for users: `make docs` writes `docs/settings.md` from them.
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
from pipeline.statistics.thresholds import ScoreSettings

SCORES = (
    "shape_error",
    "mean_error",
    "total_error",
    "top_error",
    "trend_error",
    "trend_error_own_bins",
    "mmd2",
    "mmd_p",
    "frechet",
    "coverage",
    "density",
    "precision",
    "recall",
    "alpha_precision",
    "beta_recall",
    "c2st",
    "c2st_auc",
    "utility",
    "utility_rmse",
    "inception",
    "nearer_to_train",
    "attack_auc",
    "attack_mean",
    "attack_tpr",
    "model_attack_auc",
    "copies",
    "disclosure_risk",
)
"""Names of scores that have a ceiling: those of `pipeline.evaluation.scores.METRICS`, which a test compares."""
Activation = Literal["silu", "gelu", "relu", "tanh"]
PriorName = Literal["normal", "mixture", "flow"]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class ModelSettings(Record):
    """The network. Sizes that are not set follow the number of rows and columns.

    Attributes:
        latent: Dimensions of the latent vector z.
        width: Width of the encoder, and of the state that the decoder carries from column to column. Default: 256; 128
            or 64 for few rows or many columns.
        hidden: Width of the state that each column has for itself. Default: half of the default `width`.
        components: Components of the mixture prior. Default: a 32nd of the training rows, from 8 to 512.
        mixture: Components of the Gaussian mixture that models a real-valued variable.
        dropout: Dropout probability in the encoder and the decoder.
        blank: Probability, during training, that the decoder does not see an earlier variable of the row.
        activation: Nonlinearity of the encoder and the decoder.
        prior: The distribution of z: one normal, a mixture of normals, or a normalizing flow (needs
            `pip install 'resynth[flow]'`).
        decoder: "autoregressive" models each variable given z and the variables before it; "factorised" given z alone.

    Example:
        >>> from pipeline import ModelSettings
        >>> ModelSettings(latent=8, width=128).prior
        'mixture'
    """

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
    """How the network is trained. Lengths that are not set follow the number of rows.

    Attributes:
        epochs: Passes over the training rows. 0 leaves the network as it is initialised. Default: about 3,000 steps,
            from 4 to 200 epochs.
        batch: Rows of a step. Default: a 32nd of the training rows, from 32 to 512.
        optimizer: The optimizer. "sgd" has momentum .9.
        schedule: Schedule of the learning rate: "one-cycle", "cosine" (from the peak down) or "constant".
        rate: Peak learning rate.
        weight_decay: Decoupled weight decay. Weights that belong to a single symbol decay faster. Default: 1,600
            divided by the training rows, from .3 to 1.
        beta: Weight of the KL term after warm-up.
        warmup: Share of the steps, or of each cycle, in which `beta` rises from 0.
        annealing: How `beta` rises: once ("linear") or four times ("cyclical").
        free_bits: Nats per row of the KL term that cost the encoder nothing. Default: 8, and less where rows hold
            little information.
        clip: Largest norm of the gradient.
        patience: Epochs without a better validation ELBO before training settles from its best weights. Default: a
            tenth of all epochs, and at least 5.
        time_limit: Most seconds of training, its end phase included.
        device: "cpu", "cuda" (or "cuda:1"), or "auto": a GPU if there is one.

    Example:
        >>> from pipeline import TrainingSettings
        >>> TrainingSettings(time_limit=60).epochs is None  # it follows the table
        True
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
        target: Column to predict for the utility score. Without one there is no such score.
        rows: Most rows of each table for marginals, pairs, the Fréchet distance and utility.
        detection_rows: Most rows of each side for the classifier, most synthetic rows whose nearest real rows are
            searched, and most held-out rows that a membership attack knows.
        distance_rows: Most rows of each side for MMD and for scores of neighbourhoods. Their cost is quadratic.
        permutations: Random relabellings of the MMD test.

    Example:
        >>> from pipeline import EvaluationSettings
        >>> EvaluationSettings(target="income").detection_rows
        10000
    """

    target: str | None = None
    rows: int = Field(default=50_000, ge=1, le=10**9)
    detection_rows: int = Field(default=10_000, ge=100, le=10**7)
    distance_rows: int = Field(default=2_000, ge=100, le=20_000)
    permutations: int = Field(default=200, ge=20, le=100_000)


class RelationSettings(Record):
    """What is exact between columns, and holds in every generated row.

    Attributes:
        find: Whether relations are looked for in the table: equal columns, sums, products, ages, labels that follow
            from others, orders, groups of flags, and values that are missing together.
        rules: Conditions that every generated row meets, such as "end >= start", "0 <= share <= 100" or
            "age >= 18 or guardian is not null". Every real row must meet them too.
        off: Relations that are not kept, as a run and `resynth inspect` write them, such as "gross = net + tax".

    Example:
        >>> from pipeline import RelationSettings
        >>> RelationSettings(off=("gross = net + tax",)).find
        True
    """

    find: bool = True
    rules: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


class DriftSettings(Record):
    """How large a change must be to count as drift, however certain it is.

    Attributes:
        false_alarms: Probability that a check of rows without drift reports any drift.
        values: Kolmogorov–Smirnov or total variation distance of a column.
        nulls: Change of the null rate.
        labels: Share of rows whose label does not occur in the other table.
        correlation: Change of a correlation.
        relations: Share of rows that break a relation which the champion keeps.
        rows: Maximum mean discrepancy of whole rows, from 0 to √2.
        likelihood: Fall of the champion's ELBO, in standard deviations of the ELBO over rows.
        latent: Shift of the posterior mean of a latent dimension, in its standard deviations over rows.
        classifier: Rise of the AUC of a classifier that tells the new rows from the champion's.
        ignore: Columns that are listed but never count as drifted, such as counters, calendar years and batch ids.

    Example:
        >>> from pipeline import DriftSettings
        >>> DriftSettings(ignore=("batch",)).ignore
        ('batch',)
    """

    false_alarms: float = Field(default=0.001, gt=0, lt=1)
    values: float = Field(default=0.05, ge=0, le=1)
    nulls: float = Field(default=0.02, ge=0, le=1)
    labels: float = Field(default=0.01, ge=0, le=1)
    correlation: float = Field(default=0.1, ge=0, le=2)
    relations: float = Field(default=0.001, ge=0, le=1)
    rows: float = Field(default=0.02, ge=0, le=2)
    likelihood: float = Field(default=0.1, ge=0)
    latent: float = Field(default=0.2, ge=0)
    classifier: float = Field(default=0.05, ge=0, le=0.5)
    ignore: tuple[str, ...] = ()


class PolicySettings(Record):
    """When a training starts, and from what.

    Attributes:
        train: "always": every run trains afresh. "needed": the rules of the policy decide.
        new_labels: What a warm start does with labels that the champion does not know. "extend" gives each label a
            symbol of its own, "bucket" gives all new labels of a column one symbol, "refuse" ends the run.
        new_columns: What happens to a table whose columns are not the champion's: it is trained on afresh ("retrain"),
            or the run ends ("refuse").
        votes: Number of the last `window` checks that must have found drift before drift starts a training.
        window: Number of checks that count, the present one included.
        severe: Share of the columns that must drift in a single check to start a training afresh at once.
        likelihood: Fall of the champion's ELBO from its own hold-out to the new rows, in standard deviations of the
            ELBO over rows, beyond which the champion no longer describes the rows.
        growth: New rows, as a share of the rows that the champion knows, that are worth a training by themselves.
        oldest_days: Age of the champion in days beyond which it is trained afresh.
        warm_starts: Most warm starts in a row. Each extends the normalization; only a training afresh fits it anew.
        cool_down_hours: Hours after a training in which no other starts. With `train = "always"` this holds back only
            runs that a drift check started. A value a little below 24 suits daily runs.
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
    """What a new version must reach to become the champion.

    Attributes:
        limits: For each named score, how far it may stay behind its ceiling. The defaults pass usable versions and stop
            broken ones: columns off by five points more than chance, a total by five percent, pairs by six points, rows
            that a classifier tells from real ones with an AUC of .85, rows that lie close to training rows, rows that
            show an attacker which real rows were used in training, copies of training rows, or rows that tell of a
            training row what they do not tell of others.
        active_units: How many latent dimensions must vary from row to row; 0 asks for none. Without any, the decoder
            alone makes the rows: they may be good, but z says nothing about them. A table whose columns are independent
            needs none unless this is set.
        margins: For each named score, how much worse than the champion's it may be.
        approval: Who decides about a version that passes: the gate alone, or a "person" who is asked.
        patience_hours: Hours to wait for the person. No answer counts as a no.

    Example:
        >>> from pipeline import GateSettings
        >>> GateSettings(limits={"c2st": 0.5}).limits["c2st"]
        0.5
    """

    limits: Mapping[str, NonNegativeFloat] = Field(
        default={
            "shape_error": 0.05,
            "total_error": 0.05,
            "trend_error": 0.06,
            "c2st": 0.7,
            "nearer_to_train": 0.1,
            "attack_auc": 0.06,
            "attack_tpr": 0.03,
            "copies": 0.01,
            "disclosure_risk": 0.1,
        }
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
    """Every choice that the loop depends on.

    Attributes:
        seed: The seed of the training, the evaluation and the published rows.
        columns: Every column that is set has a section of its own.
        incoming: With this section, even an empty one, the data is a growing collection of files, and a run trains only
            when some of it is new. Without it, every run trains on all of the data.
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
    score: ScoreSettings = ScoreSettings()
    privacy: PrivacySettings = PrivacySettings()
    relations: RelationSettings = RelationSettings()
    columns: Mapping[str, ColumnSettings] = {}
    incoming: IncomingSettings | None = None
