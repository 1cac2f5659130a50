"""Areas: scores with and without a ceiling, details of their own, and one from outside."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from pipeline.columns import infer
from pipeline.errors import SettingsError
from pipeline.evaluation import AREAS, METRICS, Area, Evaluation, Found, Metric, Score, evaluate, register
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import DETAILS
from pipeline.records import Record
from pipeline.settings import EvaluationSettings

ROWS = pa.table({"x": np.random.default_rng(0).normal(size=400)})
PARTS = {"holdout": ROWS.slice(0, 100), "train": ROWS.slice(100, 200)}
TOLD = SimpleNamespace(elbo=-5.5, reconstruction=-3.0, kl=2.5, importance_weighted=-5.0, active_units=2)


def judged(*areas: str, told: object = None) -> Evaluation:
    """Real rows in some areas."""
    options = {"schema": infer(ROWS), "settings": EvaluationSettings(permutations=20), "seed": 0}
    return evaluate(ROWS.slice(300), **PARTS, **options, areas=areas, told=told)


def test_the_model_has_scores_without_a_ceiling():
    """The bound of the hold-out becomes scores without a ceiling. Without a model there is no score and no note."""
    found = judged("model", told=TOLD)
    assert {score.name: score.value for score in found.scores} == vars(TOLD)
    assert {(score.area, score.ceiling, score.excess) for score in found.scores} == {("model", None, None)}
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    silent = judged("model")
    assert (silent.scores, silent.notes) == ((), ())


def later(sharing: float) -> Evaluation:
    """Rows of the law of the training rows, of which a share are copies, beside held-out rows of a moved law."""
    rng = np.random.default_rng(3)
    train, fresh, moved = (rng.normal(at, 1, (1500, 2)) for at in (0, 0, 1))
    copied = np.where(rng.random((1500, 1)) < sharing, train, fresh)
    tables = [pa.table({"a": rows[:, 0], "b": rows[:, 1]}) for rows in (copied, train, moved)]
    return evaluate(tables[0], train=tables[1], holdout=tables[2], areas=["privacy"])


def test_rows_that_copy_nothing_may_be_nearer_to_training_rows_than_to_later_rows():
    """The ceiling is what other training rows reach. It hides no copies."""
    assert judged("privacy")["nearer_to_train"].ceiling == 0.5
    fresh, copies = (later(share)["nearer_to_train"] for share in (0, 1))
    assert fresh.low > 0.6
    assert fresh.excess < 0.03
    assert copies.low - copies.ceiling > 0.25


class Digit(Record):
    """How often a first digit occurs."""

    digit: int
    share: float


class Digits(Area):
    """A made-up area: the share of ones among the first digits of "x"."""

    name = "digits"
    metrics: ClassVar = {"ones": Metric("max", "share of ones among first digits")}
    details: ClassVar = {"first_digits": Digit}

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        shares = []
        for view in samples.views[:2]:
            digits = [int(text[0]) for text in (f"{abs(x):e}" for x in view["x"].array)]
            shares.append(np.bincount(digits, minlength=10) / len(digits))
        details = tuple(Digit(digit=digit, share=share) for digit, share in enumerate(shares[0]))
        return Found((Score.of("ones", shares[0][1], shares[1][1]),), {"first_digits": details})


@pytest.fixture
def _digits() -> Iterator[None]:
    """The area is registered while a test runs."""
    register(Digits())
    yield
    for names, gone in ((AREAS, "digits"), (METRICS, "ones"), (DETAILS, "first_digits")):
        names.pop(gone)


@pytest.mark.usefixtures("_digits")
def test_an_area_from_outside_is_looked_at():
    """Its score comes after all others. Its details are a key of the evaluation's JSON, and are read back."""
    found = judged("marginals", "digits")
    assert [score.name for score in found.scores] == ["shape_error", "ones"]
    assert found["ones"].area == "digits"
    assert sum(digit.share for digit in found.details["first_digits"]) == pytest.approx(1)
    kept = found.model_dump(mode="json")
    assert [column["name"] for column in kept["columns"]] == ["x"]
    assert kept["first_digits"][1]["share"] == found["ones"].value
    assert "details" not in kept
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    with pytest.raises(SettingsError, match="of new names, got 'digits'"):
        register(Digits())
