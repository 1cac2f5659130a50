"""The report as HTML: whole, in order, readable without anything else, and nobody's text becomes markup."""

import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from pages import GATE, HOSTILE, SECTIONS, Seen, evaluation, everything, hostile, mixed, subject

from flows.engine import webpages
from pipeline import columns
from pipeline.decisions import quality
from pipeline.evaluation import ColumnError, Evaluation, PairError
from pipeline.page import Subject, page_of, render, report

ADDRESS = re.compile(r"(?:https?:)?//|url\(|@import", re.IGNORECASE)


@pytest.fixture(scope="module")
def full() -> str:
    """A report in which every section has something to show."""
    real, synthetic, train = mixed(0), mixed(1), mixed(2)
    known = everything(train, evaluation(real, mixed(3), train))
    return report(subject(real, synthetic, train, **known))


@pytest.fixture(scope="module")
def bare() -> str:
    """A report of two tables, of which nothing else is known."""
    return report(subject(mixed(0), mixed(1), mixed(2)))


@pytest.mark.parametrize("name", ["full", "bare"])
def test_every_section_is_there_in_order(name: str, request: pytest.FixtureRequest) -> None:
    """Each is a landmark with a heading, and headings do not leave out a level."""
    page = Seen(request.getfixturevalue(name))
    assert page.broken == []
    assert page.open == []
    assert tuple(own["id"] for _, own in page.tags("section")) == SECTIONS
    assert [own["aria-labelledby"] for _, own in page.tags("section")] == [f"{each}-title" for each in SECTIONS]
    levels = [int(tag[1]) for tag, _ in page.tags("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {tag for tag, _ in page.elements} >= {"header", "nav", "main", "footer", "title"}


@pytest.mark.parametrize("name", ["full", "bare"])
def test_it_needs_nothing_from_elsewhere(name: str, request: pytest.FixtureRequest) -> None:
    """There is no script, no address and no handler, and a policy that would forbid them."""
    html = request.getfixturevalue(name)
    page = Seen(html)
    assert page.tags("script", "iframe", "object", "embed", "link", "img", "form") == []
    assert [own for own in page.attributes("href") if not own.startswith("#")] == []
    assert page.attributes("src") == []
    assert not ADDRESS.search(re.sub(r">[^<]*<", "><", html))
    assert [key for _, own in page.elements for key in own if key.startswith("on")] == []
    assert any("default-src 'none'" in policy for policy in page.attributes("content"))


@pytest.mark.parametrize("name", ["full", "bare"])
def test_it_can_be_heard(name: str, request: pytest.FixtureRequest) -> None:
    """Ids are unique, labels lead to ids, links to sections, pictures have words and tables have headers."""
    page = Seen(request.getfixturevalue(name))
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    labels = {each for told in page.attributes("aria-labelledby") for each in told.split()}
    assert labels <= set(ids)
    assert {own[1:] for own in page.attributes("href")} <= set(ids)
    pictures = page.tags("svg")
    assert pictures
    assert all(own.get("role") == "img" or own.get("aria-hidden") == "true" for _, own in pictures)
    assert all(own.get("scope") in {"col", "row"} for _, own in page.tags("th"))
    assert all(own.get("tabindex") == "0" for _, own in page.elements if own.get("role") == "region")


def test_nobody_reads_code(full: str) -> None:
    """Names and labels of strangers are shown letter by letter, wherever they stand, and open no element."""
    tables = [hostile(seed) for seed in range(3)]
    known = everything(tables[2], evaluation(tables[0], hostile(4), tables[2]))
    found = report(subject(*tables, **known, title=HOSTILE["script"]))
    page, plain = Seen(found), Seen(full)
    assert page.broken == []
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements}
    assert HOSTILE["image"] in page.text
    assert HOSTILE["script"] in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "49 " not in page.text.partition("{{ 7")[0][-50:]


def test_no_row_of_the_real_table_is_in_it() -> None:
    """A value that few real rows have is nowhere: not as a label, a number or an end of an axis."""
    real, train = mixed(0, 400), mixed(2, 400)
    secret = pa.array(["Ann Smith" if i < 4 else text for i, text in enumerate(real["many"].to_pylist())])
    amount = pa.array([987654.125 if i == 0 else value for i, value in enumerate(real["number"].to_pylist())])
    label = pa.array(["Bob Jones" if i < 4 else value for i, value in enumerate(real["group"].to_pylist())])
    for name, values in (("many", secret), ("number", amount), ("group", label)):
        real = real.set_column(real.column_names.index(name), name, values)
    found = report(subject(real, mixed(1, 400), train))
    for kept in ("Ann Smith", "Bob Jones", "987654", "988k"):
        assert kept not in found
    assert "north" in found  # which many rows share


@pytest.mark.parametrize(("count", "most"), [(15, 500_000), (100, 2_000_000), (1000, 5_000_000)])
def test_it_stays_small(count: int, most: int) -> None:
    """However many columns there are. No more rows or areas make it larger."""
    rng = np.random.default_rng(0)
    names = [f"measurement of the sensor {i}" for i in range(count)]
    tables = [
        pa.table(
            {
                name: rng.normal(size=120) if i % 2 else rng.choice(["red", "green", "blue"], 120)
                for i, name in enumerate(names)
            }
        )
        for _ in range(3)
    ]
    errors = tuple(ColumnError(name=name, error=0.1, ceiling=0.01) for name in names)
    pairs = tuple(PairError(first=names[i], second=names[i + 1], error=0.1, ceiling=0.01) for i in range(14))
    found = Evaluation(rows=120, holdout_rows=120, scores=(), details={"columns": errors, "pairs": pairs})
    made = Subject(
        title="sensors",
        real=tables[0],
        synthetic=tables[1],
        schema=columns.infer(tables[2]),
        evaluation=found,
        gate=GATE,
        verdict=quality.judged(found, GATE),
    )
    assert len(report(made).encode()) < most


def test_a_report_is_known_by_its_head(full: str, tmp_path) -> None:
    """So that no other file is ever replaced by one."""
    webpages.write(tmp_path / "a" / "report.html", full)
    (tmp_path / "other.html").write_text("<html>")
    assert webpages.is_page(tmp_path / "a" / "report.html")
    assert not webpages.is_page(tmp_path / "other.html")


def test_the_same_subject_makes_the_same_page() -> None:
    """Nothing depends on the time or on chance."""
    one = page_of(subject(mixed(0), mixed(1), mixed(2)))
    assert render(one) == render(one)
    assert render(one) == report(subject(mixed(0), mixed(1), mixed(2)))


def test_it_says_what_a_run_knows(full: str) -> None:
    """The verdict comes first; the command, the digest and the settings last."""
    text = " ".join(Seen(full).text.split())
    assert text.index("Good: ") < text.index("The verdict rests on")
    for told in ("count: distribution moved by 0.300", "version 1 on the same held-out rows", "many (7 rows)"):
        assert told in text
    for told in (
        "f" * 64,
        "epochs = 3",
        "resynth export customers/2",
        "1 of them vary with the row",
        "overlap by 50.0 %",
    ):
        assert told in text
