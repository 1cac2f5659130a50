"""Measures of the latent space on held-out rows.

    python latent.py adult DIRECTORY

Reads the model and the test rows of `train.py` and prints one JSON object:

- KL in nats per row, and active units;
- **margin**: log p(x|z) at z from the row's own posterior, minus the same at z drawn from the prior, in nats per row.
  It says how much z reveals of the row. Both terms know the row's earlier columns, as the decoder always does. The
  column error measures the same without them: the error of a row that is redrawn from its z, in per cent of the error
  of an unrelated synthetic row (0: exact, 100: nothing known), as a mean over columns;
- **interpolation** on the line between the z of two rows in ten steps, all decoded with the same noise: the number of
  columns that change in a step and from end to end; the *straightness*, which is the direct distance over the length of
  the path (1: every column goes straight from one end to the other; unrelated rows on the way: about a tenth); and the
  largest step's share of the path (.1: all steps are equal; 1: one jump);
- a linear **probe** on E[z|x] for the target: its cross-validated AUC, beside the AUC for the shuffled target.
"""

import itertools
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parent))
from frames import Space, named, view
from tables import BENCHMARKS, Benchmark

from pipeline.synthesizer import Synthesizer

ROWS = 2000
PAIRS = 500
STEPS = 10
PRIOR_DRAWS = 5
Floats = NDArray[np.float64]


def main(name: str, directory: str) -> None:
    """Print the numbers."""
    warnings.simplefilter("ignore")
    benchmark = BENCHMARKS[name]
    synthesizer = Synthesizer.load(Path(directory) / "model")
    test = pq.read_table(Path(directory) / "test.parquet")
    rows = test.slice(0, ROWS)
    report = synthesizer.elbo(rows, seed=0)
    measure = Columns(view(test, benchmark))
    found = {
        "elbo": report.elbo,
        "kl": report.kl,
        "active_units": report.active_units,
        "margin_nats": report.reconstruction - from_prior(synthesizer, rows),
        "column_error": column_error(synthesizer, rows, measure, benchmark),
    }
    found |= interpolation(synthesizer, rows, measure, benchmark) | probe(synthesizer.encode(test), test, benchmark)
    print(json.dumps(found))


class Columns:
    """Distance of rows column by column: difference of ranks for numbers, 0 or 1 for other columns."""

    def __init__(self, frame: object) -> None:
        self.space = Space([frame])

    def apart(self, rows: object, others: object) -> Floats:
        """[rows, columns], numbers first."""
        (x, a), (y, b) = self.space.place(rows), self.space.place(others)
        return np.concatenate([np.abs(x - y), a != b], axis=1).astype(float)


@torch.no_grad()
def from_prior(synthesizer: Synthesizer, rows: pa.Table) -> float:
    """Mean log p(x|z) of rows at z drawn from the prior."""
    vae, encoded = synthesizer.vae, synthesizer.fitted.normalization.encode(rows)
    generator = torch.Generator().manual_seed(0)
    total = 0.0
    for _ in range(PRIOR_DRAWS):
        choice = torch.rand(len(encoded), generator=generator)
        z = vae.prior.draw(choice, torch.randn(len(encoded), vae.shape.latent, generator=generator))
        total += float(vae.log_likelihood(z, encoded).sum(0).mean())
    return total / PRIOR_DRAWS


def column_error(synthesizer: Synthesizer, rows: pa.Table, measure: Columns, benchmark: Benchmark) -> float:
    """Mean over columns of the error of redrawn rows, in per cent of the error of unrelated rows."""
    real, again, other = (
        view(table, benchmark)
        for table in (rows, synthesizer.reconstruct(rows, seed=0), synthesizer.sample(rows.num_rows, seed=1))
    )
    redrawn, unrelated = measure.apart(real, again).mean(0), measure.apart(real, other).mean(0)
    return 100 * float(np.mean(redrawn[unrelated > 0] / unrelated[unrelated > 0]))


def interpolation(synthesizer: Synthesizer, rows: pa.Table, measure: Columns, benchmark: Benchmark) -> dict[str, float]:
    """Columns changed, straightness and the largest step's share."""
    z = synthesizer.encode(rows)
    count = min(PAIRS, len(z) // 2)
    begin, end = z[:count], z[count : 2 * count]
    places = [t / STEPS for t in range(STEPS + 1)]
    path = [view(synthesizer.decode((1 - t) * begin + t * end, seed=0), benchmark) for t in places]
    steps = np.stack([measure.apart(a, b) for a, b in itertools.pairwise(path)])
    direct = measure.apart(path[0], path[-1])
    lengths = steps.sum(2)
    return {
        "changed_per_step": float((steps > 0).sum(2).mean()),
        "changed_in_all": float((direct > 0).sum(1).mean()),
        "straightness": float(direct.sum() / steps.sum()),
        "largest_step": float((lengths.max(0) / np.maximum(lengths.sum(0), 1e-12)).mean()),
    }


def probe(z: NDArray[np.float32], test: pa.Table, benchmark: Benchmark) -> dict[str, float]:
    """Cross-validated AUC of a linear probe for the target. A number becomes whether it is above its median."""
    target = view(test.select([benchmark.target]), benchmark)[benchmark.target]
    labels = target.to_numpy() if named(target) else (target > target.median()).to_numpy()
    scaled = StandardScaler().fit_transform(z)
    shuffled = np.random.default_rng(0).permutation(labels)
    areas = [
        float(cross_val_score(LogisticRegression(max_iter=1000), scaled, y, scoring="roc_auc_ovr").mean())
        for y in (labels, shuffled)
    ]
    return {"probe_auc": areas[0], "probe_chance": areas[1]}


if __name__ == "__main__":
    main(*sys.argv[1:])
