"""Made-up names of persons and companies, in the format and language of the real names.

Real names are parsed into words, initials, titles and signs. The word of a format that is most often a known first name
is taken as the first name. Made-up names repeat as often as real ones. They use no word of a real name.
"""

import re
from collections.abc import Callable
from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from pipeline.personal.folding import Words, fold, folded, secret
from pipeline.personal.mixing import Ints, below, chosen
from pipeline.personal.pools import Language, folded_list, pool
from pipeline.personal.templates import Template, commonest, only, scattered
from pipeline.records import Record

PersonShape = Literal["person", "first name", "last name", "company"]
_TITLES = (
    "herr frau hr fr dr prof mag ing dipl mr mrs ms miss sir lady mme mlle sr sra srta don dona dott sig dhr mw mevr "
    "pan pani jr ii iii phd md mba eng sc ba dds dvm"
)
_PARTICLES = "von van der den de del della di du da do dos das la le zu zur ter ten y e und"
LEGAL = re.compile(
    r"[ ,]+(?:(?:mbh|gmbh|ag|kg|ohg|ug|se|plc|llc|llp|ltd|limited|inc|corp|co|sarl|sas|sa|srl|spa|bv|nv|lda)\.?"
    r"|gmbh & co\.? ?kg|e\.? ?v\.|s\.a\.(?:s\.|r\.l\.)?|s\.l\.(?:u\.)?|s\.r\.l\.|s\.p\.a\.|b\.v\.|n\.v\."
    r"|sp\. z o\.o\.)$",
    re.IGNORECASE,
)
"""Matches the legal form at the end of a company's name."""
TITLES, PARTICLES = frozenset(_TITLES.split()), frozenset(_PARTICLES.split())
_USUAL = {"person": "<First> <Last>", "first name": "<First>", "last name": "<Last>", "company": "<Last> <Last 2>"}
_FIRST, _LAST, _MOST_TEMPLATES, _MOST_WORDS = 400, 800, 24, 5
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SAMPLE = 20_000


class Person(Record):
    """Made-up names."""

    kind: Literal["person"] = "person"
    shape: PersonShape
    templates: tuple[Template, ...] = Field(min_length=1)
    first: tuple[str, ...] = Field(min_length=1)
    last: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known_parts(self) -> Self:
        only(self.templates, r"(first|last|initial)( \d+)?")
        return self

    @classmethod
    def fit(
        cls, values: pa.Array, shape: PersonShape, language: Language, least_rows: int, besides: Words | None = None
    ) -> Self:
        """Learn the formats of real names. Only titles and particles are kept of their words."""
        real, random = Words(values, besides), secret(values, shape)
        formats = _formats(values, shape, language)
        return cls(
            shape=shape,
            templates=commonest(formats, least_rows, _MOST_TEMPLATES) or (Template(text=_USUAL[shape], weight=1),),
            first=pool("first", language, _FIRST, real, random),
            last=pool("last", language, _LAST, real, random),
        )

    def make(self, index: Ints, seed: int) -> pa.Array:
        """The made-up name of each row."""
        which = chosen(index, tuple(template.weight for template in self.templates), seed, "template")

        def part(name: str, rows: Ints) -> pa.Array:
            kind, _, _ = name.partition(" ")
            words = self.last if kind == "last" else self.first
            made = pa.array(words, pa.string()).take(pa.array(below(rows, len(words), seed, name)))
            return pc.utf8_slice_codeunits(made, 0, 1) if kind == "initial" else made

        def maker(template: Template) -> Callable[[Ints], pa.Array]:
            return lambda rows: template.render(rows, lambda name, within: part(name, index[within]))

        return scattered(which, [maker(template) for template in self.templates])


def _formats(values: pa.Array, shape: PersonShape, language: Language) -> pa.Array:
    """The template of each name of a sample; empty for a name of unusual format."""
    places = np.linspace(0, max(len(values) - 1, 0), min(len(values), _SAMPLE)).astype(np.int64)
    names = values.take(pa.array(places)).to_pylist()
    if shape == "company":
        return pa.array([_company(name) for name in names], pa.string())
    backwards = shape == "person" and _backwards(names, language)
    return pa.array([_name(name, shape, language, backwards=backwards) for name in names], pa.string())


def _company(name: str) -> str:
    """The template of a company: one or two words, and the legal form as it is written."""
    legal = LEGAL.search(name)
    words = len(_WORD.findall(name[: legal.start()] if legal else name))
    upper = name.isupper()
    text = "<Last>" if words == 1 else "<Last> & <Last 2>" if "&" in name else "<Last> <Last 2>"
    return (text.upper() if upper else text) + (legal.group() if legal else "")


def _name(name: str, shape: PersonShape, language: Language, *, backwards: bool) -> str:
    """The template of a name: titles, particles and signs as they are, other words by their role."""
    pieces = [piece for piece in re.split(rf"({_WORD.pattern})", name.strip()) if piece]
    slots = [n for n, piece in enumerate(pieces) if _WORD.fullmatch(piece) and not _kept(piece)]
    signs = set("".join(piece for piece in pieces if not _WORD.fullmatch(piece)))
    if not any(len(pieces[slot]) > 1 for slot in slots) or len(slots) > _MOST_WORDS or not signs <= set(" .,'’-()"):
        return ""
    before = sum("," not in "".join(pieces[:slot]) for slot in slots)
    roles = _roles(len(slots), before, shape, language, backwards=backwards)
    for place, (slot, role) in enumerate(zip(slots, roles, strict=True)):
        word = pieces[slot]
        part = "Initial" if len(word) == 1 else role
        part += f" {place}" if part in {*(other for other in roles[:place]), "Initial"} else ""
        pieces[slot] = (
            f"<{part.upper() if len(word) > 1 and word.isupper() else part.lower() if word.islower() else part}>"
        )
    return "".join(pieces)


def _kept(word: str) -> bool:
    return fold(word) in TITLES or (word.islower() and word in PARTICLES)


def _roles(words: int, before: int, shape: PersonShape, language: Language, *, backwards: bool) -> list[str]:
    """The role of each word, first or last name. The first `before` words stand before a comma."""
    if shape != "person":
        return ["First" if shape == "first name" else "Last"] * words
    if 0 < before < words:
        return ["Last"] * before + ["First"] * (words - before)
    last = max(1, words // 2) if language in {"es", "pt"} or words == 1 else 1
    if language in {"es", "pt"} and words == 3:  # noqa: PLR2004
        last = 2
    roles = ["First"] * (words - last) + ["Last"] * last
    return roles[::-1] if backwards else roles


def _backwards(names: list[str], language: Language) -> bool:
    """Whether the last name comes first, judged by known first names in two-word names, or by capitals."""
    first = set(folded_list("first", language))
    pairs = [words for name in names if "," not in name and len(words := _WORD.findall(name)) == 2]  # noqa: PLR2004
    if not pairs:
        return False
    shouted = sum(a.isupper() and not b.isupper() for a, b in pairs)
    flat = folded(pa.array([word for pair in pairs for word in pair], pa.string())).to_pylist()
    hits = sum(word in first for word in flat[::2]), sum(word in first for word in flat[1::2])
    return shouted > len(pairs) / 2 or hits[1] > 2 * hits[0]
