"""Subjects of reports for tests, and a reader of the pages."""

from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa

from pipeline import columns, page
from pipeline.assumptions import assumed
from pipeline.decisions import quality
from pipeline.decisions.findings import DriftReport, Finding
from pipeline.evaluation import Evaluation, evaluate
from pipeline.loop import PrivacyReport
from pipeline.page import Previous, Subject
from pipeline.privacy.disclosure import Withheld
from pipeline.schema import Schema
from pipeline.settings import GateSettings
from pipeline.training.history import Epoch

HOSTILE = (
    '<img src=x onerror="alert(1)">',
    "</title></svg><script>alert(2)</script>",
    "\" onload='alert(3)' x=\"",
    "n" * 300,
    "שלום עולם",
    "\u202egnp.exe",
    "👩‍👩‍👧‍👦 family",
    "",
    "two\nlines\tand a tab",
    "{{ 7 * 7 }} {% raw %}",
)
"""Names that a table may have."""


def table(rows: int, seed: int, names: tuple[str, ...] = ("age", "job", "income", "hours", "city")) -> pa.Table:
    """Numbers and labels in turn, which depend on each other; one value of 20 is missing, in all columns but two."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=rows)
    made = {}
    for i, name in enumerate(names):
        mixed = hidden + random.normal(size=rows)
        values = np.round(40 + 10 * mixed, 1) if i % 2 == 0 else np.array(["low", "middle", "high"])[_thirds(mixed)]
        missing = random.random(rows) < 0.05 if i > 1 else np.zeros(rows, bool)
        made[name] = pa.array(values, mask=missing)
    return pa.table(list(made.values()), names=list(made))


def subject(names: tuple[str, ...] | None = None, rows: int = 400, **changes: object) -> Subject:
    """What a report of a small table is about, with nothing known of a training."""
    given = (names,) if names is not None else ()
    train, real, synthetic = (table(rows, seed, *given) for seed in range(3))
    return compared(train, real, synthetic, **changes)


def compared(train: pa.Table, real: pa.Table, synthetic: pa.Table, **changes: object) -> Subject:
    """What the report of a synthetic table is about."""
    schema, gate = columns.infer(train), GateSettings()
    found = evaluate(synthetic, holdout=real, train=train, schema=schema, areas=["marginals", "pairs"])
    plain = Subject(
        title="people version 2",
        real=real,
        synthetic=synthetic,
        schema=schema,
        evaluation=found,
        gate=gate,
        verdict=quality.judged(found, gate),
        assumptions=assumed(schema),
        facts={"code": "abc"},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@cache
def full() -> str:
    """A report of hostile names with all sections but the latent space."""
    of = subject((*HOSTILE, "age"))
    name, old = HOSTILE[0], of.evaluation
    moved = Finding(
        column=name,
        kind="numeric",
        what="values",
        text=f"{name} moved",
        size=0.5,
        low=0.4,
        high=0.6,
        threshold=0.1,
        drifted=True,
    )
    return page.report(
        replace(
            of,
            title=name,
            privacy=PrivacyReport(least_rows=5, withheld=(Withheld(name=name, labels=1, rows=3),), made_up=(name,)),
            drift=DriftReport(drifted=True, findings=(moved,), reference_rows=400, rows=400, notes=(name,)),
            history=tuple(epoch(i) for i in range(1, 30)),
            previous=Previous(name, old),
            facts={name: name},
            settings=f"name = {name}",
            command=f"resynth export {name}",
        )
    )


def sharing(schema: Schema, rows: int) -> Schema:
    """The schema with values that fewer rows share withheld."""
    return replace(schema, columns=tuple(each.model_copy(update={"least_rows": rows}) for each in schema.columns))


def epoch(number: int) -> Epoch:
    """An epoch of a training that goes well."""
    terms = {"reconstruction": -20 + 10 * (1 - 1 / number), "kl": 2.0, "elbo": -22 + 10 * (1 - 1 / number)}
    held = {f"validation_{name}": value - 0.1 for name, value in terms.items()}
    return Epoch(epoch=number, seconds=float(number), learning_rate=0.001, **terms, **held)


def scored(found: Evaluation, **values: float) -> Evaluation:
    """The evaluation with other values of scores, and without intervals and replicates."""
    free = {"low": None, "high": None, "replicates": ()}
    scores = [
        each.model_copy(update={"value": values[each.name], **free} if each.name in values else free)
        for each in found.scores
    ]
    return found.model_copy(update={"scores": tuple(scores)})


class Read(HTMLParser):
    """A page as its elements, their attributes, and the text inside each.

    Attributes:
        elements: Every element: its tag, its attributes, its text with that of its descendants, its ancestors' tags.
    """

    VOID = frozenset({"meta", "br", "img", "link", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert not self._open, f"expected every element to be closed, got {self._open[-1].tag} open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        made = Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open))
        self.elements.append(made)
        drawn = any(each.tag == "svg" for each in self._open)
        if tag not in self.VOID and not (drawn and self.get_starttag_text().endswith("/>")):
            self._open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of a drawing that has no content."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        closed = self._open.pop()
        assert closed.tag == tag, f"expected </{closed.tag}>, got </{tag}>"

    def handle_data(self, data: str) -> None:
        """Text belongs to all open elements."""
        for each in self._open:
            each.text += data

    def all(self, *tags: str) -> "list[Element]":
        """The elements with one of these tags, in order."""
        return [each for each in self.elements if each.tag in tags]

    def section(self, name: str) -> str:
        """The text of a section."""
        return " ".join(next(each for each in self.all("section") if each.attributes["id"] == name).text.split())


class Element:
    """An element of a page."""

    def __init__(self, tag: str, attributes: dict[str, str], ancestors: "tuple[Element, ...]") -> None:
        self.tag, self.attributes, self.ancestors, self.text = tag, attributes, ancestors, ""


def _thirds(values: np.ndarray) -> np.ndarray:
    return np.digitize(values, np.quantile(values, [0.2, 0.6]))
