"""Columns that identify people: recognising them, and made-up values for them."""

from pipeline.personal.chosen import PLURALS, canonical, check, described, look
from pipeline.personal.fakes import LEAST_ROWS, Fake, digits_of
from pipeline.personal.folding import Words
from pipeline.personal.names import Shape
from pipeline.personal.provided import Provider
from pipeline.personal.public import is_public, public_vocabulary
from pipeline.personal.recognition import Recognition, recognise

__all__ = [
    "LEAST_ROWS",
    "PLURALS",
    "Fake",
    "Provider",
    "Recognition",
    "Shape",
    "Words",
    "canonical",
    "check",
    "described",
    "digits_of",
    "is_public",
    "look",
    "public_vocabulary",
    "recognise",
]
