"""Keys of a whole table: unique, of the shape of real ones, and none of them, held-out rows included."""

import re
import uuid

import numpy as np
import pyarrow as pa
import pytest

from pipeline import columns
from pipeline.data import tables
from pipeline.settings import TrainingSettings
from pipeline.synthesizer import Synthesizer

ROWS = 1_500
MAIL = r"[a-z0-9]+(?:[.-][a-z0-9]+)*@[a-z]+(\.[a-z]+)+"


def shop(seed: int = 0) -> pa.Table:
    """Orders of three lines, with a key of every sort in each row."""
    random = np.random.default_rng(seed)
    first, last = random.choice(["anna", "peter", "lena"], ROWS), random.choice(["meyer", "smith", "brown"], ROWS)
    domain = random.choice(["gmail.com", "web.de", "firma.co.uk"], ROWS)
    return pa.table(
        {
            "patnum": random.permutation(np.arange(300_000, 300_000 + ROWS)),
            "short_id": [str(i) for i in random.permutation(np.arange(500, 500 + ROWS))],
            "email": [f"{a}.{b}{i}@{d}" for i, (a, b, d) in enumerate(zip(first, last, domain, strict=True))],
            "phone": [f"+49 1{random.integers(50, 80)} {random.integers(10**6, 10**8)}" for _ in range(ROWS)],
            "uuid": [str(uuid.UUID(bytes=random.bytes(16), version=4)) for _ in range(ROWS)],
            "order_id": np.repeat(np.arange(300_000, 300_000 + ROWS // 3), 3),
            "line": np.tile([1, 2, 3], ROWS // 3),
            "product": random.choice(list("abcd"), ROWS),
            "amount": np.round(random.lognormal(3, 1, ROWS), 2),
        }
    )


@pytest.mark.usefixtures("training")
def test_keys_of_generated_rows_are_unique_shaped_and_never_real():
    """The held-out tenth of the rows is unknown to the model, and still none of its keys is made."""
    table = shop()
    train, validation, _ = tables.split(table)
    known = pa.concat_tables([train, validation])
    fitted = Synthesizer.fit(train, validation, columns.infer(known), training=TrainingSettings(time_limit=15))
    made = fitted.sample(3_000, seed=1)
    for name in ("patnum", "short_id", "email", "phone", "uuid"):
        assert len(made[name].unique()) == 3_000, name
        assert not set(made[name].to_pylist()) & set(table[name].to_pylist()), name
    assert not set(made["order_id"].to_pylist()) & set(table["order_id"].to_pylist())
    assert {len(text) for text in made["short_id"].to_pylist()} == {3, 4}
    assert np.mean([bool(re.fullmatch(MAIL, text)) for text in made["email"].to_pylist()]) >= 0.95
    assert all(re.fullmatch(r"\+49 1\d\d \d{7,8}", text) for text in made["phone"].to_pylist())
    assert {uuid.UUID(text).version for text in made["uuid"].to_pylist()} == {4}
    assert len(made.group_by(["order_id", "line"]).aggregate([])) == 3_000
    assert set(made["line"].to_pylist()) == {1, 2, 3}
    assert 3_000 / len(made["order_id"].unique()) == pytest.approx(3, abs=0.3)
    assert fitted.sample(10_000, seed=1).slice(0, 3_000).equals(made)
    assert fitted.sample(500, seed=1, start=8_000).equals(fitted.sample(10_000, seed=1).slice(8_000, 500))
