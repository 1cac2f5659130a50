"""Do the gate's privacy limits pass real rows and refuse copies?

    .venv/bin/python benchmarks/attacks/limits.py [--draws 10] [--sizes 500,2000,8000]

From each of four tables, rows are drawn again and again: training rows, held-out rows (a fifth as many) and, in place
of the synthetic rows, as many real rows that are neither. These must pass. Then a share of them is replaced by training
rows: exact copies, or near ones, in which every number is moved by 1 % of its standard deviation and whole numbers are
rounded. So an age stays as it is. The gate decides with its default limits. Prints and writes
`benchmarks/results/limits.md`: how many of the draws each limit refuses. Takes about 25 minutes with the defaults.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

sys.path.insert(0, str(Path(__file__).parents[1] / "fidelity"))
from measuring import RESULTS, machine
from tables import split

from pipeline.columns import infer
from pipeline.decisions.promotion import decide
from pipeline.evaluation import evaluate
from pipeline.settings import GateSettings

TABLES = ("adult", "default", "magic", "beijing")
NAMES = ("nearer_to_train", "attack_auc", "attack_tpr", "copies", "disclosure_risk")
LIMITS = {name: GateSettings().limits[name] for name in NAMES}
HELD = 0.2
"""Held-out rows, relative to training rows."""
NEAR = 0.01
"""Standard deviations by which numbers of near copies are moved."""
CASES = {"real rows": (0.0, 0.0)} | {
    f"{share:.0%} {what}": (share, moved)
    for what, moved in (("copies", 0.0), ("near copies", NEAR))
    for share in (0.03, 0.1, 0.5, 1.0)
}
"""Share of copies, and how far they are moved."""


def main() -> None:
    """Draw, decide, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10, help="draws per table and size (%(default)s)")
    parser.add_argument("--sizes", default="500,2000,8000", help="training rows (%(default)s)")
    given = parser.parse_args()
    limits = ", ".join(f"{name} {limit}" for name, limit in LIMITS.items())
    lines = ["# Limits of the gate", "", f"{machine()}. Limits beyond chance: {limits}.", ""]
    head = ["rows", "in place of synthetic rows", "draws", "refused", *NAMES]
    lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for size in map(int, given.sizes.split(",")):
        for case, (share, moved) in CASES.items():
            found: Counter[str] = Counter()
            draws = given.draws if case == "real rows" else max(1, given.draws // 5)
            for name in TABLES:
                for draw in range(draws):
                    refused = refusals(name, size, share, moved, np.random.default_rng((draw, size)))
                    found.update({*refused, "any"} if refused else {})
            cells = [found["any"], *(found[name] for name in NAMES)]
            lines.append(f"| {size:,} | {case} | {draws * len(TABLES)} | " + " | ".join(map(str, cells)) + " |")
            print(lines[-1], file=sys.stderr, flush=True)
    text = "\n".join(lines) + "\n"
    (RESULTS / "limits.md").write_text(text)
    print(text)


def refusals(name: str, size: int, share: float, moved: float, random: Generator) -> set[str]:
    """The scores for which the gate refuses one draw."""
    table = pa.concat_tables(split(name)).unify_dictionaries()
    held = round(HELD * size)
    order = random.permutation(table.num_rows)
    train, holdout, fresh = (table.take(each) for each in np.split(order[: 2 * size + held], [size, size + held]))
    copies = round(share * size)
    made = pa.concat_tables([shifted(train.slice(0, copies), train, moved, random), fresh.slice(copies)])
    found = evaluate(made, holdout=holdout, train=train, schema=infer(train), areas=["privacy", "attacks", "risks"])
    gates = {each: GateSettings(limits={each: LIMITS[each]}) for each in NAMES if each in found}
    return {each for each, gate in gates.items() if not decide(found, None, gate).promote}


def shifted(rows: pa.Table, train: pa.Table, by: float, random: Generator) -> pa.Table:
    """Rows whose numbers are moved by `by` standard deviations of the training rows, in random directions."""
    for place, field in enumerate(rows.schema):
        if by and (pa.types.is_integer(field.type) or pa.types.is_floating(field.type)):
            step = pa.array(by * pc.stddev(train[field.name]).as_py() * random.choice([-1.0, 1.0], rows.num_rows))
            values = pc.add(rows[field.name].cast(pa.float64()), step)
            whole = pc.round(values) if pa.types.is_integer(field.type) else values
            rows = rows.set_column(place, field, whole.cast(field.type, safe=False))
    return rows


if __name__ == "__main__":
    main()
