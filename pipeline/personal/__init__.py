"""Columns that identify people: recognising them, and made-up values for them."""

from pipeline.personal.fakes import LEAST_ROWS, Fake
from pipeline.personal.folding import Words
from pipeline.personal.names import Shape
from pipeline.personal.public import is_public, public_vocabulary
from pipeline.personal.recognition import Recognition, recognise

__all__ = ["LEAST_ROWS", "Fake", "Recognition", "Shape", "Words", "is_public", "public_vocabulary", "recognise"]
