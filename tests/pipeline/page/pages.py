"""Subjects of reports, and what a browser sees of a page, read with the parser of Python."""

from functools import cache
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa

from pipeline import columns
from pipeline.decisions import quality
from pipeline.decisions.findings import DriftReport, Finding
from pipeline.evaluation import Evaluation, evaluate
from pipeline.loop import PrivacyReport
from pipeline.page import Previous, Subject, report
from pipeline.privacy.disclosure import Withheld
from pipeline.queries.bound import ElboReport
from pipeline.queries.latent import LatentSummary
from pipeline.settings import EvaluationSettings, GateSettings
from pipeline.training.history import Epoch

GATE = GateSettings()
FEW = EvaluationSettings(detection_rows=100, distance_rows=100, permutations=20)
AREAS = ("marginals", "totals", "pairs", "distribution", "privacy")
"""Areas that need no classifier and no attack, for the time that these take."""
HOSTILE = {
    "image": "<img src=x onerror=alert(1)>",
    "script": "</style></title><script>alert(1)</script>",
    "entity": "&lt;b&gt; \"quoted\" 'single' {{ 7 * 7 }} {% raw %}",
    "long": "n" * 300,
    "rtl": "عمود \u202eمن اليمين",
    "emoji": "👩‍💻 pay 💶",
    "lines": "two\nlines\tand a tab",
    "blank": " ",
}
"""Names of columns, and labels, that would break a careless page."""
SECTIONS = (
    *("verdict", "scores", "assumed", "worst", "associations", "missing", "rows", "training"),
    *("latent", "drift", "privacy", "changes", "again"),
)
VOID = frozenset({"meta", "br", "path", "circle", "img", "link", "input", "hr", "col"})


def mixed(seed: int, rows: int = 300) -> pa.Table:
    """Numbers, times and labels with nulls, some of them together."""
    rng = np.random.default_rng(seed)
    away = rng.random(rows) < 0.2
    group = rng.integers(0, 3, rows)
    return pa.table(
        {
            "number": pa.array(group + rng.normal(size=rows), mask=away),
            "count": rng.poisson(4, rows),
            "skewed": np.exp(rng.normal(0, 3, rows)),
            "day": pa.array(rng.integers(10_000, 11_000, rows), pa.int32()).cast(pa.date32()),
            "group": pa.array(np.array(["north", "south", "west"])[group], mask=away),
            "many": [f"label {i}" for i in rng.integers(0, 200, rows)],
            "nothing": pa.nulls(rows, pa.float64()),
        }
    )


def hostile(seed: int, rows: int = 300) -> pa.Table:
    """Columns with names that are hostile, of labels that are hostile too."""
    rng = np.random.default_rng(seed)
    labels = np.array(list(HOSTILE.values()), dtype=object)
    return pa.table({name: labels[rng.integers(0, len(labels), rows)].tolist() for name in HOSTILE.values()})


def evaluation(real: pa.Table, synthetic: pa.Table, train: pa.Table) -> Evaluation:
    """As little as can be computed."""
    schema = columns.infer(train)
    return evaluate(synthetic, holdout=real, train=train, schema=schema, settings=FEW, areas=AREAS)


def subject(real: pa.Table, synthetic: pa.Table, train: pa.Table, **given: object) -> Subject:
    """The subject of a comparison of tables."""
    found = evaluation(real, synthetic, train)
    known: dict[str, object] = {
        "title": "customers version 2",
        "real": real,
        "synthetic": synthetic,
        "schema": columns.infer(train),
        "evaluation": found,
        "gate": GATE,
        "verdict": quality.judged(found, GATE),
    }
    return Subject(**(known | given))  # type: ignore[arg-type]


def everything(train: pa.Table, found: Evaluation) -> dict[str, object]:
    """What a run knows beside the tables."""
    sizes = {"kind": "numeric", "what": "values", "size": 0.3, "low": 0.2, "high": 0.4, "threshold": 0.1}
    return {
        "privacy": PrivacyReport(least_rows=5, withheld=(Withheld(name="many", labels=3, rows=7),), made_up=("email",)),
        "drift": DriftReport(
            drifted=True,
            findings=(Finding(column="count", drifted=True, text="count: distribution moved by 0.300", **sizes),),
            reference_rows=train.num_rows,
            rows=200,
        ),
        "history": tuple(epoch(number) for number in range(1, 6)),
        "elbo": ElboReport(
            rows=10,
            elbo=-9.0,
            reconstruction=-6.0,
            kl=3.0,
            importance_weighted=-8.5,
            active_units=1,
            kl_per_dimension=(2.5, 0.5),
            deviation=1.0,
            latent_mean=(0.0, 0.0),
            latent_deviation=(0.9, 0.0),
            columns=(),
        ),
        "latent": LatentSummary(
            rows=10,
            rates=(2.5, 0.5),
            variances=(0.8, 0.0),
            active=(True, False),
            labels=("z0", "z1"),
            share=(1.0, 0.0),
            edges=((-1, 1), (-1, 1)),
            posterior=((10, 0), (0, 10)),
            prior=((5, 5), (5, 5)),
            draws=20,
            overlap=0.5,
        ),
        "previous": Previous("version 1", found),
        "facts": {"table": "customers.parquet", "digest of the table": "f" * 64, "code": "f" * 40},
        "settings": "[training]\nepochs = 3",
        "command": "resynth export customers/2 --rows 300 --out rows/ --seed 0",
    }


@cache
def full() -> str:
    """A report with something in every section, of ordinary columns and of hostile ones."""
    real, synthetic, train, before = (_beside(mixed(seed), hostile(seed)) for seed in range(4))
    known = everything(train, evaluation(real, before, train))
    return report(subject(real, synthetic, train, **known, title=HOSTILE["image"]))


def _beside(one: pa.Table, other: pa.Table) -> pa.Table:
    return pa.table([*one.columns, *other.columns], names=[*one.column_names, *other.column_names])


def epoch(number: int) -> Epoch:
    """An epoch of a training that gets better until the fourth."""
    elbo = -10.0 + number if number < 5 else -7.0
    return Epoch(
        epoch=number,
        seconds=1,
        learning_rate=0.001,
        reconstruction=elbo + 3,
        kl=3,
        elbo=elbo,
        validation_reconstruction=elbo + 2.5,
        validation_kl=3,
        validation_elbo=elbo - 0.5,
    )


class Seen(HTMLParser):
    """The elements of a page, with what a reader sees of it as text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.broken: list[str] = []
        self.text = ""
        self.words: dict[str, str] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of SVG that holds nothing."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """An element ends, which must be the last that was opened."""
        if not self.open or self.open.pop() != tag:
            self.broken.append(tag)

    def handle_data(self, data: str) -> None:
        """A text."""
        if "style" not in self.open:
            self.text += data

    def attributes(self, name: str) -> list[str]:
        """All values of an attribute."""
        return [own[name] or "" for _, own in self.elements if name in own]

    def tags(self, *names: str) -> list[tuple[str, dict[str, str | None]]]:
        """The elements of these names."""
        return [each for each in self.elements if each[0] in names]
