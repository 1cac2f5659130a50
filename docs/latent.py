"""The pictures of `docs/latent.md`: a model with two latent dimensions of two clusters of points.

    .venv/bin/python docs/latent.py [--out docs/pictures] [--adult MODEL]

Trains a model in half a minute and draws four panels: the data, the rows in the latent space, the way from a row of one
cluster to a row of the other, and rows beside their reconstructions. The seed is fixed, so the picture is the same each
time. With `--adult`, the directory of a saved model of the example table, the other pictures of the page are made too.
"""

import argparse
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from PIL import Image

from pipeline import ColumnSettings, ModelSettings, Synthesizer, infer, pictures, read
from pipeline.pictures import png
from pipeline.pictures.style import CLASSES, MUTED, SYNTHETIC, Picture, plain

DATA = Path(__file__).parents[1] / "data" / "adult_test.parquet"
SUM = "income = '>50K' & sex = 'Female' - sex = 'Female' + sex = 'Male'"
CENTRES = ((-2.0, -1.0), (2.0, 1.0))
ROWS = 2000
SHOWN = 600
STEPS = 12


def main() -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "pictures")
    parser.add_argument("--adult", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.adult is not None:
        adult(Synthesizer.load(given.adult), given.out)
    table, cluster = points()
    columns = dict.fromkeys(table.column_names, ColumnSettings(kind="numeric", normalization="zscore"))
    model = ModelSettings(latent=2, decoder="factorised")
    synthesizer = Synthesizer.fit(table, schema=infer(table, columns), model=model, seed=0)
    keep(drawn(synthesizer, table, cluster), given.out / "latent-clusters.png")
    summary = synthesizer.latent.summary(table)
    print(f"rates {[round(rate, 2) for rate in summary.rates]} nats, overlap with the prior {summary.overlap:.0%}")


def adult(synthesizer: Synthesizer, out: Path) -> None:
    """Draw walks through the latent space of the example table, whose rows are public."""
    table, schema, latent = read(DATA), synthesizer.schema, synthesizer.latent
    summary = latent.summary(table)
    keep(pictures.latent_density(summary), out / "latent-density.png")
    keep(pictures.walk_rows([latent.between(table, 3, 7)], schema), out / "latent-between.png")
    strongest = int(np.argmax(summary.rates))
    keep(pictures.walk_columns(latent.vary(table, strongest), schema), out / "latent-vary.png")
    keep(pictures.arithmetic_columns(latent.arithmetic(table, SUM), schema), out / "latent-arithmetic.png")


def keep(figure: Picture, file: Path) -> None:
    """Write a picture in few colours, which is small."""
    Image.open(BytesIO(png(figure))).convert("RGB").quantize(64).save(file, optimize=True)


def points() -> tuple[pa.Table, np.ndarray]:
    """Two clusters of points, and the cluster of each point, which the model does not see."""
    random = np.random.default_rng(0)
    cluster = random.integers(0, 2, ROWS)
    x, y = np.round(np.array(CENTRES)[cluster] + random.normal(0, [0.7, 0.5], (ROWS, 2)), 3).T
    return pa.table({"x": x, "y": y}), cluster


def drawn(synthesizer: Synthesizer, table: pa.Table, cluster: np.ndarray) -> Picture:
    """The four panels."""
    figure = Picture(figsize=(8.4, 7.6), layout="constrained")
    data, latent, way, back = figure.subplots(2, 2).flat
    rows = table.slice(0, SHOWN)
    real, z = values(rows), synthesizer.encode(rows)
    tones = np.array(CLASSES[:2])[cluster[:SHOWN]]
    data.scatter(*real.T, s=8, c=tones, linewidths=0)
    entitle(data, "Data: two clusters of points", "x", "y")
    latent.scatter(*z.T, s=8, c=tones, linewidths=0)
    entitle(latent, "Latent space: E[z|x] of each point", "z0", "z1")
    ends = [int(np.flatnonzero(cluster == side)[0]) for side in (0, 1)]
    walk = synthesizer.latent.between(table, *ends, steps=STEPS)
    latent.plot(*walk.z.T, "o-", color=SYNTHETIC, markersize=4, linewidth=1.2)
    way.scatter(*real.T, s=8, color="#d5d9df", linewidths=0)
    for place, each in zip(walk.places, walk.drawn, strict=True):
        own = values(each)
        way.scatter(*own[:60].T, s=5, color=SYNTHETIC, alpha=0.12 + 0.1 * float(place), linewidths=0)
        way.plot(*np.median(own, axis=0), "o", color=SYNTHETIC, markersize=5)
    way.plot(*values(walk.ends).T, "x", color="black", markersize=9, markeredgewidth=2)
    entitle(way, "Interpolation: decoded points and their medians", "x", "y")
    again = values(synthesizer.decode(z))
    for start, end in zip(real[:150], again[:150], strict=True):
        back.plot(*np.array([start, end]).T, color=MUTED, linewidth=0.5, alpha=0.6)
    back.scatter(*real[:150].T, s=12, c=tones[:150], linewidths=0)
    back.scatter(*again[:150].T, s=12, facecolors="none", edgecolors=SYNTHETIC, linewidths=0.8)
    entitle(back, "Reconstruction: points (full), decoded ones (rings)", "x", "y")
    return figure


def entitle(axes: Axes, title: str, across: str, up: str) -> None:
    """Title and labels of a panel."""
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(across, fontsize=9)
    axes.set_ylabel(up, fontsize=9)
    plain(axes)


def values(table: pa.Table) -> np.ndarray:
    """The points of a table, [rows, 2]."""
    return np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()])


if __name__ == "__main__":
    main()
