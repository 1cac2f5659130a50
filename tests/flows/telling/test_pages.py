"""What Prefect's pages show: Markdown that a renderer takes as it was meant, whatever names hold."""

import re
from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from test_display import FOUND, taken

from flows.telling import pages
from flows.telling.closing import HEAD
from flows.telling.outcome import Export, RunOutcome
from pipeline.assumptions import Assumption, settings
from pipeline.decisions.drift import DriftReport, Finding
from pipeline.settings import GateSettings

GATE = GateSettings()
ODD = "_a|b_c_ *d* `e` <b>f</b> [g](h) ~~i~~ &amp; $j$ \\k #l"
"""A name of a column that is Markdown and HTML."""


def outcome(**told: object) -> RunOutcome:
    """The outcome of a run with two reasons."""
    given = {"name": "t", "version": "3", "decision": "promoted", "reasons": ("first", "second"), "seconds": {"a": 1.0}}
    return RunOutcome.model_validate(given | told)


def parsed(text: str) -> SyntaxTreeNode:
    """A document as Prefect's pages read it: CommonMark with tables."""
    return SyntaxTreeNode(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text))


def shown(node: SyntaxTreeNode) -> str:
    """The text that a reader sees."""
    if node.type in {"text", "code_inline", "fence"}:
        return node.content
    if node.type in {"html_inline", "html_block", "softbreak"}:
        return "?"
    return "".join(map(shown, node.children))


def own(item: SyntaxTreeNode) -> str:
    """The text of an item of a list, without the list below it."""
    return "".join(shown(child) for child in item.children if child.type == "paragraph")


def below(node: SyntaxTreeNode, kind: str) -> Iterator[SyntaxTreeNode]:
    """All nodes of a kind below a node."""
    for child in node.walk():
        if child.type == kind:
            yield child


def test_the_verdict_comes_first_and_reasons_are_a_list_below_the_decision() -> None:
    """No item is empty, none begins with a key of nothing, and further reasons belong to the decision."""
    tree = parsed(pages.run(outcome(), GATE))
    assert shown(next(below(tree, "paragraph"))).startswith("Good: yes. ")
    (first, *_) = below(tree, "bullet_list")
    decision = first.children[0]
    assert own(decision) == "promoted: first"
    (reasons,) = [child for child in decision.children if child.type == "bullet_list"]
    assert [own(item) for item in reasons.children] == ["second"]
    for item in below(tree, "list_item"):
        assert own(item).strip(": *")
        assert not own(item).startswith("**")


def test_every_part_of_an_outcome_is_shown() -> None:
    """Scores are a table as wide as its head, what was assumed is a list, and settings are a block of TOML."""
    found = outcome(evaluation=FOUND, assumptions=taken(2), warnings=("a cast",))
    tree = parsed(pages.run(found, GATE))
    (table,) = below(tree, "table")
    rows = [[shown(cell) for cell in row.children] for part in table.children for row in part.children]
    assert rows[0] == list(HEAD)
    assert ["columns", "98.8", "99.0", "94.0", "the values of each column"] in rows
    texts = [own(item) for item in below(tree, "list_item")]
    assert "codes: numbers taken as labels, none of which is invented: branch_0, branch_1" in texts
    assert {"note: a cast", "note: utility: not computed"} <= set(texts)
    (relations,) = [item for item in below(tree, "list_item") if own(item).startswith("relations: gross_0")]
    assert [own(item) for item in below(relations, "list_item") if item != relations] == ["gross_1 = net_1 (9 rows)"]
    (block,) = below(tree, "fence")
    assert (block.info, block.content.rstrip("\n")) == ("toml", settings(taken(2)))
    assert RunOutcome.model_validate_json(found.model_dump_json()) == found


def test_names_are_shown_letter_by_letter() -> None:
    """Column names with the signs of Markdown and HTML are neither formatted nor lost, in lists and in tables."""
    rule = Assumption(sort="identifier", columns=(ODD,), text="", overrule=f'columns."{ODD}" = {{ kind = "x" }}  # ```')
    report = DriftReport(drifted=True, findings=(moved(ODD),), reference_rows=10, rows=1000)
    tree = parsed(pages.run(outcome(assumptions=(rule,), drift=report), GATE))
    assert f"{ODD}: moved by 0.400" in [own(item) for item in below(tree, "list_item")]
    assert [shown(cell) for cell in below(parsed(pages.table(["name"], [[ODD]])), "td")] == [ODD]
    assert any(own(item).endswith(ODD[:20]) or ODD[:20] in own(item) for item in below(tree, "list_item"))
    assert not list(below(tree, "html_inline"))
    (block,) = below(tree, "fence")
    assert block.content.rstrip("\n") == settings((rule,))


def moved(column: str) -> Finding:
    """A finding that drifted."""
    sizes = {"size": 0.4, "low": 0.3, "high": 0.5, "threshold": 0.1}
    return Finding(
        column=column, kind="numeric", what="values", drifted=True, text=f"{column}: moved by 0.400", **sizes
    )


def test_an_address_is_a_link_and_a_path_is_none(tmp_path) -> None:
    """The report of a run on a server can be opened from the page."""
    place = Export(path=tmp_path / "a_b_c", rows=5, manifest=tmp_path / "m")
    tree = parsed(pages.run(outcome(documents="https://mlflow.example.org/#/a_b_c", export=place, published="3"), GATE))
    (link,) = below(tree, "link")
    assert link.attrs["href"] == "https://mlflow.example.org/#/a_b_c"
    assert f"files: {tmp_path}/a_b_c" in [own(item) for item in below(tree, "list_item")]


def test_a_calm_check_says_so() -> None:
    """Without drift there is no empty list, and the rows are counted."""
    report = DriftReport(drifted=False, findings=(), reference_rows=1234, rows=5678, notes=("few rows",))
    tree = parsed(pages.drift(report))
    assert [own(item) for item in below(tree, "list_item")] == ["note: few rows"]
    many = DriftReport(drifted=True, findings=(moved("a"),) * 13, reference_rows=10, rows=10)
    assert [own(item) for item in below(parsed(pages.drift(many)), "list_item")][-1] == "more: 3 smaller ones"
    assert "No drift: 5,678 new rows beside 1,234 known ones." in [shown(node) for node in below(tree, "paragraph")]


@pytest.mark.parametrize(
    "text", ["- a", "+ a", "1. a", "12) a", "-", "# a", "> a", "-a", "1.5 a", "_a_ and a_b", "a\nb"]
)
def test_a_reason_is_a_text_whatever_it_begins_with(text: str) -> None:
    """What Markdown would read as the beginning of a list, a heading or a quotation stays a text, in one line."""
    tree = parsed(pages.items([("why", "so"), ("", text)]))
    assert [own(item) for item in below(tree, "list_item")] == ["why: so", " ".join(text.split())]


@pytest.mark.parametrize("name", ["customers", "Big_Table.v2", "x" * 100])
def test_the_key_of_an_artifact_is_one_that_prefect_takes(name: str) -> None:
    """Keys hold small letters, digits and dashes."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-drift-check", pages.key(name, "drift check"))
