"""Canaries: do planted rows come back?

    .venv/bin/python benchmarks/attacks/canaries.py [--rows 200000] [--seed 0]

Twenty rows of each of two laws are planted once each in the training rows of Adult:

- **far**: numbers beyond or at the edge of those of the table, labels among the rarest of each column;
- **mixed**: every cell comes from a random row of its own, so each value is usual and the combination is not.

The default configuration is trained as a run does, and generates rows. Extremes and rare labels are withheld first, so
far canaries are no longer quite as far when the network sees them, and can hardly come back as they were planted. A
canary has come back if a generated row equals it, or equals it in all columns but one. The *exposure* of a canary (as
in Carlini et al. 2019, arXiv 1802.08232) is its rank among a thousand rows of the same law that were not planted, by
the distance to the nearest generated row, and by the model's bound. It is 0 for the least and 1 for the most exposed.
Its mean is 1/2 if nothing is learned by heart, with a standard error of .065 for twenty canaries.

Prints a table and writes `benchmarks/results/canaries.md`. Takes about four minutes.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "fidelity"))
from frames import codes, named, view
from measuring import RESULTS, machine
from tables import BENCHMARKS, split

from pipeline import columns, loop
from pipeline.data import tables
from pipeline.data.tables import SplitSettings
from pipeline.settings import LoopSettings
from pipeline.synthesizer import Synthesizer

CANARIES, CONTROLS = 20, 1000
RARE = 1 / 3
"""Share of the labels of a column that are rare."""
EDGE = 0.001
"""Share of the rows beyond which a number is far out."""
BEYOND = 1.5
"""How far beyond the greatest value a number may lie, relative to it."""
TOGETHER = ("education", "education-num")
"""Columns that determine each other in every row. A row that breaks this would no longer be a row of this table."""
ROWS_AT_ONCE = 2048

Frame = pd.DataFrame
Floats = NDArray[np.float64]


def far(real: Frame, rows: int, random: Generator) -> Frame:
    """Rows of rare labels and extreme numbers."""
    made = {}
    for name, values in real.items():
        if name == TOGETHER[1]:
            number = real.drop_duplicates(list(TOGETHER)).set_index(TOGETHER[0])[TOGETHER[1]]
            made[name] = number.loc[made[TOGETHER[0]]].to_numpy()
        elif named(values):
            labels = values.value_counts().index
            made[name] = random.choice(labels[-max(1, round(RARE * len(labels))) :], rows)
        else:
            made[name] = np.round(random.uniform(values.quantile(1 - EDGE), BEYOND * values.max(), rows))
    return pd.DataFrame(made)


def mixed(real: Frame, rows: int, random: Generator) -> Frame:
    """Rows whose cells come from different rows."""
    made = {name: random.choice(len(real), rows) for name in real if name != TOGETHER[1]}
    made[TOGETHER[1]] = made[TOGETHER[0]]
    return pd.DataFrame({name: real[name].to_numpy()[made[name]] for name in real})


LAWS: dict[str, Callable[[Frame, int, Generator], Frame]] = {"far": far, "mixed": mixed}


def main() -> None:
    """Plant, train, generate, look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="generated rows (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    table, _ = split("adult")
    real, random = view(table, BENCHMARKS["adult"]), np.random.default_rng(given.seed)
    drawn = {law: fresh(maker, real, random) for law, maker in LAWS.items()}
    planted = [as_table(each[:CANARIES], table.schema) for each in drawn.values()]
    model = trained(table, pa.concat_tables(planted), given.seed)
    generated = view(model.sample(given.rows, seed=given.seed + 1), BENCHMARKS["adult"])
    found = {law: looked(rows, real, generated, model, table.schema) for law, rows in drawn.items()}
    text = "\n".join(report(found, given.rows)) + "\n"
    (RESULTS / "canaries.md").write_text(text)
    print(text)


def fresh(maker: Callable[[Frame, int, Generator], Frame], real: Frame, random: Generator) -> Frame:
    """Canaries and controls, none of which is a row of the table."""
    rows = maker(real, 2 * CONTROLS, random).drop_duplicates()
    known = rows.merge(real.drop_duplicates(), how="left", indicator=True)["_merge"].to_numpy() == "both"
    return rows[~known][: CANARIES + CONTROLS].reset_index(drop=True)


def as_table(rows: Frame, schema: pa.Schema) -> pa.Table:
    """Rows of the table's own types."""
    plain = pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in schema])
    return pa.Table.from_pandas(rows, schema=plain, preserve_index=False, safe=False).cast(schema)


def trained(table: pa.Table, canaries: pa.Table, seed: int) -> Synthesizer:
    """The default model of a table, trained on the rows of a run's own split and on the canaries."""
    settings = LoopSettings(split=SplitSettings(holdout=1e-9), seed=seed)
    whole = pa.concat_tables([table, canaries]).unify_dictionaries()
    schema = columns.infer(whole)
    parts = tables.split(table, settings.split, seed)
    parts = parts._replace(train=pa.concat_tables([parts.train, canaries]).unify_dictionaries())
    shown = loop.show(whole, parts, schema, settings).parts
    return Synthesizer.fit(shown.train, shown.validation, schema, seed=seed)


def looked(rows: Frame, real: Frame, generated: Frame, model: Synthesizer, schema: pa.Schema) -> dict[str, float]:
    """Which canaries came back, and how exposed they are."""
    nearness, equal = beside(rows, real, generated)
    bound = model.look(as_table(rows, schema), seed=0).elbo.double().numpy()
    return {
        "came back": int((equal[:CANARIES] == len(real.columns)).sum()),
        "all but one column": int((equal[:CANARIES] >= len(real.columns) - 1).sum()),
        "controls, all but one column, %": 100 * float((equal[CANARIES:] >= len(real.columns) - 1).mean()),
        "exposure": exposure(nearness),
        "exposure with the model": exposure(bound),
    }


def beside(rows: Frame, real: Frame, generated: Frame) -> tuple[Floats, Floats]:
    """Minus the least distance to a generated row, and the most columns in which one is equal, each [rows].

    The distance is that of Gower 1971: the sum of differences of ranks among the real rows, and of unequal labels.
    """
    places = codes(real, rows, generated)
    best, equal = np.full(len(rows), np.inf), np.zeros(len(rows))
    texts = [named(real[name]) for name in real]
    ladders = [np.sort(column) for column in places[0].T]
    ranks = [
        np.stack([np.searchsorted(own, values) / len(own) for own, values in zip(ladders, each.T, strict=True)], 1)
        for each in places
    ]
    for start in range(0, len(generated), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        distance, same = (np.zeros((len(rows), len(places[2][part]))) for _ in range(2))
        for j, text in enumerate(texts):
            alike = places[1][:, j, None] == places[2][part, j]
            same += alike
            distance += ~alike if text else np.abs(ranks[1][:, j, None] - ranks[2][part, j])
        best, equal = np.minimum(best, distance.min(1)), np.maximum(equal, same.max(1))
    return -best, equal


def exposure(scores: Floats) -> float:
    """Mean rank of the canaries among the controls, in [0, 1]. Equal scores count half."""
    own, others = scores[:CANARIES, None], scores[CANARIES:]
    return float(((own > others) + 0.5 * (own == others)).mean())


def report(found: dict[str, dict[str, float]], rows: int) -> list[str]:
    """The page of results."""
    lines = ["# Canaries", "", f"{machine()}; {CANARIES} canaries of each law, {rows:,} generated rows.", ""]
    lines += ["| | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    return lines + [f"| {key} | " + " | ".join(f"{e[key]:.3g}" for e in found.values()) + " |" for key in found["far"]]


if __name__ == "__main__":
    main()
