"""A `Page` as HTML: one file with its style inside, without scripts, addresses or fonts of others.

The policy in the head of the page (`Content-Security-Policy`) forbids everything but the style, so a browser would not
fetch or run anything even if a name could smuggle it in. Every text is escaped by the templates.
"""

from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipeline.assumptions import named
from pipeline.page.columns import NAME, PLAIN, PLAIN_PAIRS
from pipeline.page.summary import Page
from pipeline.page.svg import Pen

GENERATOR = "resynth report"
"""The generator that the head of a report names, by which a report is known."""
TEMPLATES = Path(__file__).parent / "templates"


def render(page: Page) -> str:
    """A page as HTML."""
    template = _environment().get_template("page.html")
    return template.render(page=page, pen=Pen(), generator=GENERATOR, plain=PLAIN, plain_pairs=PLAIN_PAIRS)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= {"count": _count, "percent": _percent, "points": _points, "code": _code}
    made.filters["name"] = partial(named, longest=NAME)
    return made


def _code(text: str) -> Markup:
    """A text in which backticks enclose code."""
    code = Markup("<code>{}</code>")
    return Markup().join(code.format(part) if i % 2 else escape(part) for i, part in enumerate(text.split("`")))


def _count(value: int) -> str:
    """A whole number with separators."""
    return f"{value:,}"


def _percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.1f} %"


def _points(value: float | None) -> str:
    """A percentage without its sign. Nothing if there is none."""
    return "" if value is None else f"{value:.1f}"
