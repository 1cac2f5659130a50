"""What a reader of a page is told, whoever reads it and whatever is not known."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pyarrow as pa
from pages import HOSTILE, SECTIONS, Seen, full, mixed, subject

from pipeline.evaluation import Evaluation
from pipeline.page import Previous, page_of, report


def section(page: str, name: str) -> str:
    """The text of a section in one line."""
    inside = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    assert inside is not None
    return " ".join(Seen(inside[0]).text.split())


def test_who_sees_no_picture_is_told() -> None:
    """Every drawing has a title and a description, or its numbers stand beside it and it is passed by."""
    drawings = re.findall(r"<svg .*?</svg>", full(), re.DOTALL)
    pictures = [drawing for drawing in drawings if 'aria-hidden="true"' not in drawing]
    assert len(pictures) > 20
    for drawing in pictures:
        named = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', drawing)
        assert named is not None
        for tag, name in zip(("title", "desc"), named.groups(), strict=True):
            words = re.search(rf'<{tag} id="{name}">(.*?)</{tag}>', drawing)
            assert words is not None
            assert words[1].strip()


def test_a_row_of_a_table_has_one_head() -> None:
    """Who hears a cell hears what its row is about; the first row has heads of columns alone."""
    tables = re.findall(r"<table.*?</table>", full(), re.DOTALL)
    assert len(tables) > 10
    for text in tables:
        head, *rows = re.findall(r"<tr>.*?</tr>", text, re.DOTALL)
        assert "<td" not in head
        assert 'scope="row"' not in head
        assert [row.count('<th scope="row"') for row in rows] == [1] * len(rows)


def test_a_name_is_one_line_that_fits() -> None:
    """It is shortened and loses what turns or breaks a line, in every section; an empty one is told."""
    assert len(HOSTILE["long"]) == 300
    assert "n" * 79 + "…" in full()
    assert "n" * 81 not in full()
    assert "\u202e" not in full()
    heads = [unescape(head) for head in re.findall(r'<th scope="row">(.*?)</th>', full())]
    assert "(no name)" in heads
    assert "two lines and a tab" in heads
    assert HOSTILE["image"] in heads
    assert HOSTILE["entity"] in heads
    assert "" not in heads


def test_what_is_not_known_is_said() -> None:
    """Without a model, an earlier version or a score, every section says so, and none is left out."""
    none = Evaluation(rows=300, holdout_rows=300, scores=())
    bare = report(replace(subject(mixed(0), mixed(1), mixed(2)), evaluation=none))
    for name, said in {
        "scores": "No score could be computed.",
        "worst": "No column can be compared.",
        "training": "Nothing is known of a training.",
        "latent": "Nothing is known of a latent space",
        "drift": "There is no earlier version whose rows these could be compared with.",
        "privacy": "No attack could be computed.",
        "changes": "There is no earlier version to compare with.",
    }.items():
        assert said in section(bare, name)
    one = pa.table({"age": np.round(np.random.default_rng(0).normal(40, 5, 200), 1)})
    plain = report(subject(one, one, one))
    assert "Nothing had to be assumed beyond the kinds of the columns." in section(plain, "assumed")
    assert "Fewer than two columns can be compared." in section(plain, "associations")
    assert "No value is missing" in section(plain, "missing")
    assert all(section(full(), name) for name in SECTIONS)


def test_other_held_out_rows_are_not_compared() -> None:
    """The page says that the scores of an earlier version are of other rows."""
    of = subject(mixed(0), mixed(1), mixed(2))
    other = of.evaluation.model_copy(update={"holdout_rows": of.evaluation.holdout_rows + 1})
    page = report(replace(of, previous=Previous("version 1", other)))
    assert "version 1 was scored on other held-out rows" in section(page, "changes")


def test_ten_synthetic_rows_are_shown() -> None:
    """They are the first ten, as texts, and null is null."""
    of = subject(mixed(0), mixed(1), mixed(2))
    sample = page_of(of).sample
    assert sample.rows == 10
    for name, values in sample.columns:
        assert list(values) == [None if value is None else str(value) for value in of.synthetic[name].to_pylist()[:10]]
    nulls = sum(value is None for _, values in sample.columns for value in values)
    assert nulls >= 10
    assert report(of).count('<td class="null">null</td>') == nulls


def test_what_does_not_fit_is_counted() -> None:
    """Of 230 columns, 200 are drawn and shown as rows, and the others are told as a number."""
    names = [f"sensor {i}" for i in range(230)]
    tables = [pa.table({name: np.random.default_rng(seed).normal(size=60) for name in names}) for seed in (0, 1)]
    small = subject(mixed(0), mixed(1), mixed(2))
    column = small.schema.columns[0]
    schema = replace(
        small.schema,
        columns=tuple(column.model_copy(update={"name": name}) for name in names),
        arrow=tables[0].schema,
    )
    errors = tuple(small.evaluation.columns[0].model_copy(update={"name": name}) for name in names)
    found = Evaluation(rows=60, holdout_rows=60, scores=(), details={"columns": errors})
    page = report(replace(small, real=tables[0], synthetic=tables[1], schema=schema, evaluation=found))
    assert "194 more columns, drawn" in section(page, "worst")
    assert "All columns as a list (230)" in section(page, "worst")
    assert "Of 230 columns, the 60 of the worst pairs" in section(page, "associations")
    assert "and 30 more columns" in section(page, "rows")
    assert "and 30 more columns" in section(page, "assumed")
