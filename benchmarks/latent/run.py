"""Is E[z|x] a better input for a classifier than the columns themselves, if few rows have a label?

    python run.py BASE WORK [--draws 10] [--out ../results/latent]

BASE holds what `benchmarks/fidelity/train.py NAME 0 BASE/NAME` has written for adult, default and magic. A second model
of each table is trained without the target column on the same rows, and kept in WORK.

A classifier for the target is trained on 10, 100 or 1,000 labelled rows and scored on the test rows by its AUC, in
percent. Labelled rows are drawn from the rows that the network saw, at least one of each class, several times. Inputs:

- **columns**: all columns but the target; labels one-hot, numbers standardised over all rows that the network saw;
- **z, no labels**: E[z|x] by the model without the target column. This is semi-supervised use as it is meant: many rows
  without a label, few with one;
- **columns and z**: both of these side by side;
- **z, hidden**: E[z|x] by the model with the target column, hidden when a row is encoded. The network saw all labels in
  its training, so it has had far more labels than the classifier;
- **z, leaking**: the same with the target visible, in training and test rows. It is no prediction: z holds the answer.

Prints a table in Markdown and writes the numbers as JSON. `results/latent.md` has both and what follows from them.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

sys.path.insert(0, str(Path(__file__).parents[1] / "fidelity"))
from frames import view
from tables import BENCHMARKS

from pipeline.synthesizer import Synthesizer

TABLES = ("adult", "default", "magic")
LABELS = (10, 100, 1000)
INPUTS = ("columns", "z, no labels", "columns and z", "z, hidden", "z, leaking")
CLASSIFIERS = {
    "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    "gradient boosting": lambda: GradientBoostingClassifier(random_state=0),
}
Floats = NDArray[np.float64]


def main() -> None:
    """Measure all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results" / "latent")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    found = [row for name in TABLES for row in measured(name, given.base / name, given.work / name, given.draws)]
    given.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(written(found))


def measured(name: str, base: Path, work: Path, draws: int) -> Iterator[dict[str, object]]:
    """Mean and standard deviation of the AUC over draws of labelled rows, for each classifier, size and input."""
    target = BENCHMARKS[name].target
    seen, test = (pq.read_table(base / f"{part}.parquet") for part in ("seen", "test"))
    inputs = [
        own | {"columns and z": np.hstack([own["columns"], own["z, no labels"]])} for own in _inputs(name, base, work)
    ]
    labels = [np.unique(np.array(part[target].to_pylist()), return_inverse=True)[1] for part in (seen, test)]
    for count in LABELS:
        chosen = [_drawn(labels[0], count, np.random.default_rng(draw)) for draw in range(draws)]
        for title, make in CLASSIFIERS.items():
            for which in INPUTS:
                areas = [
                    100
                    * roc_auc_score(
                        labels[1],
                        make().fit(inputs[0][which][rows], labels[0][rows]).predict_proba(inputs[1][which])[:, 1],
                    )
                    for rows in chosen
                ]
                row = {"table": name, "labels": count, "classifier": title, "input": which}
                row |= {"auc": float(np.mean(areas)), "deviation": float(np.std(areas)), "draws": draws}
                print(json.dumps(row), file=sys.stderr, flush=True)
                yield row


def _inputs(name: str, base: Path, work: Path) -> list[dict[str, Floats]]:
    """The inputs of the rows that the network saw, and of the test rows."""
    target = BENCHMARKS[name].target
    whole = Synthesizer.load(base / "model")
    without = _without(base, work, target)
    tables = [pq.read_table(base / f"{part}.parquet") for part in ("seen", "test")]
    plain = _plain([table.drop_columns([target]) for table in tables], name)
    return [
        {
            "columns": own,
            "z, no labels": without.encode(table),
            "z, hidden": whole.latent.posterior(table, without=[target]).mean,
            "z, leaking": whole.encode(table),
        }
        for own, table in zip(plain, tables, strict=True)
    ]


def _without(base: Path, work: Path, target: str) -> Synthesizer:
    """The model of the table without its target column. It is trained if there is none yet."""
    if not (work / "model").exists():
        train, validation = (pq.read_table(base / f"{part}.parquet") for part in ("seen", "validation"))
        made = Synthesizer.fit(train.drop_columns([target]), validation.drop_columns([target]), seed=0)
        work.mkdir(parents=True, exist_ok=True)
        made.save(work / "model")
    return Synthesizer.load(work / "model")


def _plain(tables: list[pa.Table], name: str) -> list[Floats]:
    """The columns as numbers: labels one-hot, numbers standardised, null as the median."""
    frames = [view(table, BENCHMARKS[name]) for table in tables]
    numbers = make_column_selector(dtype_include="number")
    made = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_exclude="number")),
    ).fit(frames[0])
    return [np.asarray(made.transform(frame)) for frame in frames]


def _drawn(labels: NDArray[np.int64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Row numbers, at least one of each class."""
    first = [int(random.choice(np.flatnonzero(labels == label))) for label in np.unique(labels)]
    rest = random.permutation(np.setdiff1d(np.arange(len(labels)), first))[: count - len(first)]
    return np.concatenate([first, rest])


def written(found: list[dict[str, object]]) -> str:
    """The numbers as a table in Markdown."""
    cells: Mapping[tuple[object, ...], str] = {
        (row["table"], row["classifier"], row["labels"], row["input"]): f"{row['auc']:.1f} ± {row['deviation']:.1f}"
        for row in found
    }
    lines = ["| table | classifier | labels | " + " | ".join(INPUTS) + " |", "|---|---|---|" + "---|" * len(INPUTS)]
    for table, title, count in dict.fromkeys(key[:3] for key in cells):
        own = " | ".join(cells[table, title, count, which] for which in INPUTS)
        lines.append(f"| {table} | {title} | {count:,} | {own} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
