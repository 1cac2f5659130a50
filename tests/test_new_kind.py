"""The test of the design: a kind of column with a sort of variable of its own, written here and nowhere else.

Points in the plane are modelled as vectors: a variable, a head (embedding and likelihood), a codec and a measure. No
line of `pipeline/` knows them, and yet they are trained, drawn, conditioned on, inherited, saved, loaded, profiled,
compared for drift, evaluated and pictured.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray
from plane import Plane, array, points
from torch import Tensor, nn

from pipeline import columns
from pipeline.columns import KINDS
from pipeline.columns.base import ALONE, Beside, Codec, Encoded, Extension, Novel, Origin, unrelated
from pipeline.columns.variables import Discrete, Variable
from pipeline.data import tables
from pipeline.decisions.drift import compare
from pipeline.evaluation import Told, evaluate
from pipeline.models import heads
from pipeline.models.evidence import Evidence
from pipeline.models.heads import HEADS, Head, Likelihood, Reader
from pipeline.pictures import png, quality
from pipeline.profiles.profile import Profile
from pipeline.profiles.reference import Reference
from pipeline.queries.generation import completed
from pipeline.settings import DriftSettings, EvaluationSettings, ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Vector(Variable):
    """A vector of `size` numbers, about standardised."""

    sort = "vectors"
    dtype = np.float32

    size: int

    @property
    def normals(self) -> int:
        """One for each number."""
        return self.size


class VectorReader(Reader):
    """A matrix for each variable."""

    def __init__(self, count: int, size: int, width: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(count, size, width) / math.sqrt(size * width))

    def forward(self, values: Tensor) -> Tensor:
        """See `Reader`."""
        return torch.bmm(values.transpose(0, 1), self.matrix)

    def single(self) -> Any:
        """See `Reader`."""
        return lambda k, values: values @ self.matrix[k]

    def decays(self) -> Iterator[tuple[nn.Parameter, float]]:
        """See `Reader`."""
        yield self.matrix, 1.0


class Gaussian(Likelihood):
    """N(x; a linear function of the state, a scale for each number); a limit is a box, [rows, 2, size]."""

    def __init__(self, count: int, size: int, hidden: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(count, hidden, size))
        self.shift = nn.Parameter(torch.zeros(count, 1, size))
        self.log_scale = nn.Parameter(torch.zeros(count, 1, size))

    def log_prob(self, states: Tensor, values: Tensor) -> Tensor:
        """See `Likelihood`."""
        mean = torch.baddbmm(self.shift, states, self.matrix)
        distance = (values.transpose(0, 1) - mean) / self.log_scale.exp()
        return (-0.5 * distance.square() - self.log_scale - 0.5 * math.log(2 * math.pi)).sum(-1)

    def draw(self, k: int, state: Tensor, uniform: Tensor, normal: Tensor, limit: Tensor | None = None) -> Tensor:
        """See `Likelihood`; what lies beyond a limit is moved to its edge."""
        value = state @ self.matrix[k] + self.shift[k] + normal.T * self.log_scale[k].exp()
        return value if limit is None else value.clamp(limit[:, 0], limit[:, 1])

    def log_mass(self, k: int, state: Tensor, limit: Tensor) -> Tensor:
        """See `Likelihood`."""
        mean = state @ self.matrix[k] + self.shift[k]
        low, high = (torch.special.ndtr((limit[:, i] - mean) / self.log_scale[k].exp()) for i in range(2))
        return (high - low).clamp(min=1e-30).log().sum(-1)

    def decays(self) -> Iterator[tuple[nn.Parameter, float]]:
        """See `Likelihood`."""
        yield self.matrix, 1.0
        yield self.shift, 0.0
        yield self.log_scale, 0.0


class Vectors(Head):
    """The head of `Vector` variables of one size."""

    def order(self, variables: Any) -> tuple[int, ...]:
        """See `Head`."""
        return tuple(range(len(variables)))

    def reader(self, variables: Any, width: int, among: int) -> VectorReader:
        """See `Head`."""
        return VectorReader(len(variables), variables[0].size, width)

    def likelihood(self, variables: Any, shape: Any) -> Gaussian:
        """See `Head`."""
        return Gaussian(len(variables), variables[0].size, shape.hidden)

    def blank(self, variables: Any, rows: int, device: torch.device) -> Tensor:
        """See `Head`."""
        return torch.zeros(rows, len(variables), variables[0].size, device=device)

    def check(self, variable: Variable, limit: Tensor) -> None:
        """See `Head`."""

    def tally(self, variable: Variable, values: Tensor) -> Tensor:
        """See `Head`."""
        return torch.zeros(0)

    def nats(self, tally: Tensor) -> float:
        """See `Head`."""
        return 4.0

    def inherit(self, new: Any, old: Any, legacies: Any) -> None:
        """See `Head`."""
        for k, legacy in enumerate(legacies):
            for mine, theirs in zip(new, old, strict=True):
                for name, parameter in mine.named_parameters():
                    parameter[k] = theirs.get_parameter(name)[legacy.source]


class Spot(Codec):
    """Points, standardised, after a null flag."""

    kind: ClassVar[str] = "spot"
    measure: ClassVar = Plane()

    def __init__(self, centre: NDArray[np.float64], spread: float) -> None:
        self.centre, self.spread = centre, spread

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Pairs of numbers."""
        return bool(pa.types.is_fixed_size_list(arrow)) and arrow.list_size == 2

    @classmethod
    def claim(cls, array: Any, name: str, least_rows: int) -> str | None:
        """Every such column."""
        return "pairs of numbers" if cls.supports(array.type) else None

    @classmethod
    def fit(cls, array: Any, column: Any, beside: Beside = ALONE) -> Self:
        """See `Codec.fit`."""
        xy = points(array)
        return cls(np.nanmean(xy, axis=0), float(np.nanstd(xy)))

    def extend(self, array: Any, column: Any, novel: Novel, beside: Beside = ALONE) -> Extension:
        """See `Codec.extend`; the scale stays."""
        return Extension(self, (Origin(0, np.arange(2)), Origin(1, NOTHING)) if self.variables else unrelated(()))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """A flag and a vector that applies where there is a value."""
        return Discrete(2, missing=True), Vector(2, applies=(False, True))

    def encode(self, array: Any) -> Encoded:
        """See `Codec.encode`."""
        xy = (points(array) - self.centre) / self.spread
        here = ~np.isnan(xy).any(axis=1)
        short = np.nan_to_num(xy).astype(np.float32)
        return Encoded((here.astype(np.int64), short), np.nan_to_num(xy) - short)

    def draw(self, values: Any, random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """Nothing is left open but rounding."""
        return np.zeros((len(index), 2))

    def decode(self, encoded: Encoded) -> pa.Array:
        """See `Codec.decode`."""
        flag, xy = encoded.values
        exact = (xy.astype(np.float64) + encoded.rest) * self.spread + self.centre
        return array(np.where(flag[:, None] > 0, exact, np.nan))

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`."""
        return {"spread": self.spread}, {"centre": self.centre}

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        return cls(arrays["centre"], json["spread"])


@pytest.fixture(autouse=True, scope="module")
def _known() -> Iterator[None]:
    """Kind and sort are known while these tests run."""
    columns.register(Spot)
    heads.register(Vector.sort, Vectors())
    yield
    del KINDS[Spot.kind], HEADS[Vector.sort]


def table(seed: int, rows: int = 2_000, shift: float = 0.0) -> pa.Table:
    """Labels and, around a place of each label, points; a twentieth of the points is null."""
    random = np.random.default_rng(seed)
    side = random.integers(0, 2, rows)
    xy = np.column_stack([4.0 * side, -4.0 * side]) + random.normal(size=(rows, 2)) + shift
    shown = np.where(random.random((rows, 1)) < 0.05, np.nan, xy)
    return pa.table({"at": array(shown), "side": np.array(["left", "right"])[side], "x": xy[:, 0]})


TRAINING = TrainingSettings(epochs=60, batch=100, device="cpu", rate=5e-3)


@pytest.fixture(scope="module")
def parts(_known: None) -> tables.Split:
    """Training, validation and held-out rows."""
    return tables.split(table(0))


@pytest.fixture(scope="module")
def synthesizer(training: None, parts: tables.Split) -> Synthesizer:
    """Trained on points and labels."""
    schema = columns.infer(table(0))
    assert [column.kind for column in schema] == ["spot", "categorical", "numeric"]
    model = ModelSettings(width=32, hidden=32, components=16)
    return Synthesizer.fit(parts.train, parts.validation, schema, model=model, training=TRAINING)


def centres(rows: pa.Table) -> dict[str, NDArray[np.float64]]:
    """The mean point of each label."""
    side, xy = np.asarray(rows["side"].to_pylist()), points(rows["at"])
    return {name: np.nanmean(xy[side == name], axis=0) for name in ("left", "right")}


def test_it_is_trained_and_drawn(synthesizer):
    """Generated points lie around the place of their label, and as many are null as were."""
    made = synthesizer.sample(4_000, seed=1)
    assert made.schema.field("at").type == table(0).schema.field("at").type
    assert centres(made)["left"] == pytest.approx([0, 0], abs=0.5)
    assert centres(made)["right"] == pytest.approx([4, -4], abs=0.5)
    assert made["at"].null_count / 4_000 == pytest.approx(0.05, abs=0.02)
    assert synthesizer.history[-1].validation_elbo > synthesizer.history[0].validation_elbo + 1


def test_it_is_an_inverse(synthesizer, parts):
    """Encoded and decoded, points come back exactly, and so from a range in the middle of a dataset."""
    codec = synthesizer.fitted.normalization.codecs["at"]
    again = codec.decode(codec.encode(parts.holdout["at"]))
    np.testing.assert_allclose(points(again), points(parts.holdout["at"]), rtol=1e-9)
    whole = synthesizer.sample(500, seed=1)
    assert synthesizer.sample(100, seed=1, start=200).equals(whole.slice(200, 100))


def test_it_takes_evidence(synthesizer, parts):
    """A known point stays, a label that is hidden follows it, and a box limits where points may be."""
    layout, normalization = synthesizer.vae.layout, synthesizer.fitted.normalization
    rows = normalization.encode(parts.holdout)
    known = normalization.known(["side"]).expand(len(rows), len(layout))
    made = completed(synthesizer.vae, Evidence(rows.knowing(known)), seed=0)
    here = rows.values["symbols"][:, 0] == 1
    assert torch.equal(made.values["vectors"][here], rows.values["vectors"][here])
    side = layout.places[2]
    agreed = (made.values["symbols"][here, side] == rows.values["symbols"][here, side]).float().mean()
    assert float(agreed) > 0.9
    box = torch.tensor([[[-0.1, -0.1], [0.1, 0.1]]]).expand(len(rows), 2, 2)
    some = completed(synthesizer.vae, Evidence(rows.knowing(torch.zeros(len(rows), len(layout))), {1: box}), seed=0)
    assert float(some.values["vectors"].abs().max()) <= 0.1 + 1e-6


def test_it_is_saved_and_loaded(synthesizer, tmp_path):
    """Weights and state of the new sort and kind come back."""
    synthesizer.save(tmp_path / "model")
    again = Synthesizer.load(tmp_path / "model")
    again.prove()
    assert again.sample(50, seed=2).equals(synthesizer.sample(50, seed=2))


def test_it_is_inherited(synthesizer, parts):
    """A warm start that is not trained generates what the champion generates."""
    untrained = TRAINING.model_copy(update={"epochs": 0})
    again = Synthesizer.fit(
        parts.train, parts.validation, synthesizer.schema, training=untrained, champion=synthesizer, seed=5
    )
    assert again.sample(300, seed=2).equals(synthesizer.sample(300, seed=2))


def test_it_is_profiled_and_compared_for_drift(synthesizer, parts):
    """Moved points are found, as points; the same points are not."""
    schema = synthesizer.schema
    whole = Profile.of(parts.train, schema)
    assert Profile.model_validate_json(whole.model_dump_json()) == whole
    reference = Reference.of(parts.train, schema)
    assert not compare(reference, reference.profile_of([table(1)]), DriftSettings()).drifted
    moved = compare(reference, reference.profile_of([table(2, shift=2.0)]), DriftSettings())
    assert {finding.column for finding in moved.findings if finding.drifted} >= {"at"}


def test_it_is_evaluated_and_pictured(synthesizer, parts):
    """Shape, the classifier and the model's own scores see it, and its panel is drawn."""
    made = synthesizer.sample(parts.train.num_rows, seed=3)
    told: Told = synthesizer.elbo(parts.holdout)
    assert {column.name for column in told.columns} == {"at", "side", "x"}
    found = evaluate(
        made,
        holdout=parts.holdout,
        train=parts.train,
        schema=synthesizer.schema,
        settings=EvaluationSettings(detection_rows=500, distance_rows=150, permutations=20),
        seed=0,
        told=told,
    )
    errors = {column.name: column.error for column in found.columns}
    assert errors["at"] < 0.2  # centres apart by at most a quarter of the spread
    assert found["c2st"].value > 0.5
    assert found["active_units"].value >= 1
    figure = quality(parts.holdout, made, synthesizer.schema, found)
    assert any(axes.get_title(loc="left").startswith("at ") for axes in figure.axes)
    assert png(figure).startswith(b"\x89PNG")
