"""The report of a version as one HTML page: readable without a network, a script or a server.

`page_of` gathers everything that is shown into a `Page`, which holds numbers and texts but no row of real data.
`render` writes it as HTML. Both are separate, so that what the report says is tested without its looks.

    subject      what a report is about: tables, evaluation, and what is known of the training
    scores       scores beside real rows, and what to do about the weak ones
    advice       the words of that
    columns      the columns and pairs that are farthest off
    association  which columns depend on each other, real and synthetic
    missing      which values are missing together
    changes      what has changed since the previous version, beyond chance
    summary      all of these as one `Page`
    svg          drawings that follow the colours of the page
    rendering    templates and style

Names of columns and labels are texts of strangers: templates and drawings escape all of them.
"""

from pipeline.page.rendering import render
from pipeline.page.subject import Previous, Subject
from pipeline.page.summary import Page, page_of

__all__ = ["Page", "Previous", "Subject", "page_of", "render", "report"]


def report(subject: Subject) -> str:
    """The report of a subject as HTML."""
    return render(page_of(subject))
