"""The report as HTML: complete, safe, small, and without a row of the real table."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from reports import HOSTILE, Element, Read, compared, full, sharing, subject, table

from pipeline import page
from pipeline.evaluation import ColumnError, Evaluation, PairError
from pipeline.page.scores import BEHIND, GOOD

SECTIONS = (
    *("verdict", "scores", "assumed", "worst", "associations", "missing", "rows", "training", "latent", "drift"),
    *("privacy", "changes", "again"),
)
MEGABYTE = 1_000_000
SECRET_LABEL, SECRET_NUMBER = "Zyxwvut the Unique", 98_765_432.5


@pytest.fixture(scope="module")
def read() -> Read:
    """A report of hostile names, with nearly everything in it."""
    return Read(full())


def test_sections_come_in_order(read: Read) -> None:
    """The verdict first, how to make it again last, each named by its heading and linked from the contents."""
    sections = [each.attributes for each in read.all("section")]
    assert [each["id"] for each in sections] == list(SECTIONS)
    titles = {each.attributes.get("id"): each.text for each in read.all("h2")}
    assert all(titles[each["aria-labelledby"]].strip() for each in sections)
    assert [each.attributes["href"] for each in read.all("a") if ("nav" in tags(each))] == [f"#{i}" for i in SECTIONS]


def tags(element: Element) -> list[str]:
    """The tags of the elements around one."""
    return [each.tag for each in element.ancestors]


def test_headings_leave_out_no_level(read: Read) -> None:
    """There is one heading of the first level, and none is more than a level below the one before it."""
    levels = [int(each.tag[1]) for each in read.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_an_id_is_of_one_element(read: Read) -> None:
    """No two elements share an id, and every reference to an id leads to an element."""
    ids = [each.attributes["id"] for each in read.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    asked = [each.attributes["href"][1:] for each in read.all("a")]
    for each in read.elements:
        asked += each.attributes.get("aria-labelledby", "").split()
    assert set(asked) <= set(ids)


def test_nothing_is_run_and_nothing_is_fetched(read: Read) -> None:
    """There is no element and no attribute that a browser would run or fetch, and the page's own policy forbids it."""
    forbidden = ("script", "iframe", "img", "link", "object", "embed", "form", "input", "base", "use", "image", "style")
    assert [each.tag for each in read.all(*forbidden)] == ["style"]
    assert [each.tag for each in read.elements if any(name.startswith("on") for name in each.attributes)] == []
    assert all(each.attributes["href"].startswith("#") for each in read.elements if "href" in each.attributes)
    assert all("src" not in each.attributes for each in read.elements)
    assert re.search(r"url\(|@import|https?:", read.all("style")[0].text) is None
    policy = [each.attributes["content"] for each in read.all("meta") if "http-equiv" in each.attributes]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_who_sees_no_picture_is_told(read: Read) -> None:
    """Every drawing is a picture with a title and a description, or its numbers stand beside it and it is passed by."""
    drawings = read.all("svg")
    assert any("role" in each.attributes for each in drawings)
    for drawing in drawings:
        if drawing.attributes.get("aria-hidden") == "true":
            continue
        assert drawing.attributes["role"] == "img"
        inside = {each.attributes["id"]: each for each in read.all("title", "desc") if drawing in each.ancestors}
        named = [inside[name] for name in drawing.attributes["aria-labelledby"].split()]
        assert [each.tag for each in named] == ["title", "desc"]
        assert named[1].text.strip()


def test_a_cell_has_a_head(read: Read) -> None:
    """Every head of a table says whether it is of its column or of its row, and every row has one."""
    assert {each.attributes.get("scope") for each in read.all("th")} == {"col", "row"}
    for row in read.all("tr"):
        scopes = {each.attributes["scope"] for each in read.all("th") if row in each.ancestors}
        assert scopes == ({"col"} if "thead" in tags(row) else {"row"})


def test_a_wide_table_is_scrolled_by_keyboard(read: Read) -> None:
    """A part of the page that scrolls can be reached by keyboard, and has a name."""
    scrolled = [each.attributes for each in read.elements if each.attributes.get("class") == "scroll"]
    assert scrolled
    assert all(each["tabindex"] == "0" and each["role"] == "region" and each["aria-label"] for each in scrolled)


def test_names_of_strangers_stay_text(read: Read) -> None:
    """Names come out letter for letter where they fit. They are shortened to one line, and an empty one is told."""
    assert HOSTILE[0] in read.all("h1")[0].text
    heads = [each.text for each in read.all("th") if each.attributes["scope"] == "row"]
    for name in (*HOSTILE[:3], HOSTILE[4], HOSTILE[9]):
        assert name in heads
    assert "n" * 79 + "…" in heads
    assert "(no name)" in heads
    assert "two lines and a tab" in heads
    assert {" gnp.exe", "gnp.exe"} & set(heads)
    assert "\u202e" not in full(), "it would turn the text after it"
    assert "49" not in heads, "a name is no template"
    assert "n" * 81 not in " ".join(each.text for each in read.all("section"))


def test_no_value_of_the_real_rows_gets_out() -> None:
    """A label of one real row and an extreme of another occur nowhere, not even shortened or rounded."""
    train, real, synthetic = (table(300, seed) for seed in range(3))
    planted = planted_in(real)
    of = compared(planted_in(train), planted, synthetic)
    text = page.report(replace(of, schema=sharing(of.schema, 5)))
    for secret in ("Zyxwvut", "98765432", "98,765,432", "98.8M", "98.7M", "9.877e", "9.88e", "99M", "98M"):
        assert secret not in text
    assert "middle" in text, "labels that many share are named"
    assert "Zyxwvut" in page.report(replace(of, schema=sharing(of.schema, 1))), (
        "it would be named if one row were enough"
    )


def planted_in(rows: pa.Table) -> pa.Table:
    """The rows with a label and a number in the first row that nobody else has."""
    age, job = rows["age"].to_pylist(), rows["job"].to_pylist()
    age[0], job[0] = SECRET_NUMBER, SECRET_LABEL
    return rows.set_column(0, "age", pa.array(age)).set_column(1, "job", pa.array(job))


@pytest.mark.parametrize(("width", "limit"), [(100, 2 * MEGABYTE), (1000, 5 * MEGABYTE)])
def test_a_page_of_many_columns_stays_small(width: int, limit: int) -> None:
    """At most 2 MB of 100 columns and 5 MB of 1,000, with long names; and what is not shown is counted."""
    names = tuple(f"column {i} with a name that is quite long, as such names are" for i in range(width))
    of = wide(names)
    text = page.report(of)
    assert 100_000 < len(text.encode()) < limit
    read = Read(text)
    drawn = [each for each in read.all("svg") if each.attributes.get("role") == "img"]
    assert len(drawn) >= min(width, 200)
    assert f"All columns as a list ({width:,})" in read.section("worst")
    if width > 200:
        assert f"and {width - 200} more columns" in read.section("rows")


def wide(names: tuple[str, ...]) -> page.Subject:
    """A subject of many columns, with an evaluation by hand, because a real one takes long."""
    small = subject()
    real, synthetic = table(100, 1, names), table(100, 2, names)
    columns = tuple(small.schema.columns[i % 2].model_copy(update={"name": name}) for i, name in enumerate(names))
    errors = np.random.default_rng(0).random((len(names), 2)).round(4)
    found = Evaluation(
        rows=100,
        holdout_rows=100,
        scores=small.evaluation.scores,
        details={
            "columns": tuple(
                ColumnError(name=name, error=error, ceiling=ceiling)
                for name, (error, ceiling) in zip(names, errors, strict=True)
            ),
            "pairs": tuple(
                PairError(first=first, second=second, error=0.2, ceiling=0.1) for first, second in pairwise(names[:51])
            ),
        },
    )
    schema = replace(small.schema, columns=columns, arrow=real.schema)
    return replace(small, real=real, synthetic=synthetic, schema=schema, evaluation=found)


def test_what_is_not_known_is_said() -> None:
    """Without a model, a training, an earlier version and scores, every section says so, and none is left out."""
    of = subject()
    bare = Read(page.report(replace(of, evaluation=Evaluation(rows=400, holdout_rows=400, scores=()), facts={})))
    for section, said in {
        "scores": "No score could be computed.",
        "assumed": "Nothing had to be assumed beyond the kinds of the columns.",
        "worst": "No column can be compared.",
        "training": "Nothing is known of a training.",
        "latent": "Nothing is known of a latent space",
        "drift": "There is no earlier version whose rows these could be compared with.",
        "privacy": "No attack could be computed.",
        "changes": "There is no earlier version to compare with.",
    }.items():
        assert said in bare.section(section)
    assert [each.attributes["id"] for each in bare.all("section")] == list(SECTIONS)


def test_a_table_of_one_column_has_a_report() -> None:
    """One column without nulls: no association and nothing missing."""
    tables = [pa.table({"age": np.round(np.random.default_rng(i).normal(40, 5, 200), 1)}) for i in range(3)]
    read = Read(page.report(compared(*tables)))
    assert "Fewer than two columns can be compared." in read.section("associations")
    assert "No value is missing" in read.section("missing")


def test_ten_synthetic_rows_are_shown_and_no_more() -> None:
    """The first ten, as texts, and null as null."""
    of = subject()
    sample = page.page_of(of).sample
    assert sample.rows == 10
    for name, values in sample.columns:
        first = of.synthetic[name].to_pylist()[:10]
        assert list(values) == [None if value is None else str(value) for value in first]
    read = Read(page.report(of))
    nulls = sum(value is None for _, values in sample.columns for value in values)
    assert sum(each.attributes.get("class") == "null" for each in read.all("td")) == nulls


def test_the_page_begins_with_the_verdict_of_the_terminal() -> None:
    """The first words are those of the verdict, and a list says what it rests on."""
    of = subject()
    read = Read(page.report(of))
    assert of.verdict.line in read.section("verdict")
    assert f"{of.evaluation.rows:,} synthetic rows beside {of.evaluation.holdout_rows:,} real rows" in read.section(
        "verdict"
    )
    standings = page.page_of(of).standings
    assert f"{len(standings)} scores: " in read.section("verdict")
    assert {each.standing for each in standings} <= {GOOD, BEHIND}
