"""Amounts that are 0 exactly where a number or a label says so."""

import numpy as np
import pyarrow as pa

from pipeline import Synthesizer, TrainingSettings, columns
from pipeline.relations import Relations
from pipeline.relations.search import find


def policies(rows: int, seed: int) -> pa.Table:
    """What is paid is 0 without claims, what comes back is 0 where no fee came back, and a bonus is 0 by chance."""
    random = np.random.default_rng(seed)
    claims, back = random.poisson(0.4, rows), random.random(rows) < 0.2
    paid, fee, refund, bonus = (np.round(random.lognormal(5, 1, rows), 2) for _ in range(4))
    return pa.table(
        {
            "claims": claims,
            "paid": pa.array(np.where(claims > 0, paid, 0)).cast(pa.decimal128(14, 2)),
            "refund": pa.array(np.where(back, refund, 0), mask=random.random(rows) < 0.1),
            "fee": np.where(back, fee, 0).astype(np.float32),
            "state": np.where(back, "back", random.choice(["open", "void"], rows)),
            "bonus": np.where(random.random(rows) < 0.5, bonus, 0),
        }
    )


def searched(table: pa.Table) -> Relations:
    """The relations of a table."""
    return find(table, columns.infer(table))


def test_they_are_found_and_kept_in_every_generated_row() -> None:
    """Of decimals and of narrow floats; an amount with nulls of its own is 0 for more than one reason."""
    table = policies(3_000, 1)
    found = searched(table)
    assert {own.text for own in found} == {
        "paid is 0 exactly where claims says so",
        "fee is 0 exactly where state says so",
    }
    assert not found.broken(policies(20_000, 2)).any()
    assert found.bind(found.free(table)).equals(table)
    free = found.free(table).to_pandas()
    assert (free["paid"].astype(float) > 0).all()
    again = Relations.load(columns.infer(table), [own.model_dump(mode="json") for own in found])
    assert again.found == found.found
    made = Synthesizer.fit(table, training=TrainingSettings(epochs=1)).table(20_000).to_pandas()
    assert ((made["paid"].astype(float) > 0) == (made["claims"] > 0)).all()
    assert ((made["fee"] > 0) == (made["state"] == "back")).all()
    assert (made["bonus"] == 0).mean() > 0.3


def test_a_single_amount_that_is_0_elsewhere_breaks_it() -> None:
    """One claim for which nothing was paid, and the relation is none."""
    table = policies(3_000, 3)
    claims = table["claims"].to_numpy().copy()
    claims[int(np.flatnonzero(claims == 0)[0])] = 1
    texts = {own.text for own in searched(table.set_column(0, "claims", pa.array(claims)))}
    assert texts == {"fee is 0 exactly where state says so"}
