"""Made-up e-mail addresses, user names and web addresses, one for each row.

Every row has its own pair of a first and a last word; once all pairs are used, a number follows. No first word is the
beginning of another, so the letters of a text determine its pair. No word of a real value begins with a first word, so
no text is a real one. Domains are those reserved for examples (RFC 2606).
"""

import re
from collections.abc import Callable
from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from pipeline.personal.folding import Words, folded, secret
from pipeline.personal.mixing import Ints, bits, chosen, permuted
from pipeline.personal.pools import Language, pool
from pipeline.personal.rooms import LIMIT
from pipeline.personal.templates import Template, commonest, only, scattered
from pipeline.records import Record

HandleShape = Literal["email", "user name", "url"]
_FIRST, _LAST = 256, 512
_MOST_TEMPLATES, _MOST_DIGITS, _MOST_WORDS = 16, 6, 4
_DOMAINS = ("example.com", "example.org", "example.net")
_URL = (
    r"^(?P<scheme>[a-z][a-z0-9+.-]*://)?(?P<www>www\.)?[^/?#]*"
    r"(?P<path>(?:/[^/?#]+){0,3})[^?#]*(?P<query>\?[a-z_]{1,20}=[^&#=]*(?:&[a-z_]{1,20}=[^&#=]*){0,2})?"
)
_ENDING = r"(\.[a-z]{2,4})?"
_PARTS = ((r"[0-9]", "0"), (rf"/(0+){_ENDING}/", r"|\1\2|"), (rf"/[^/|]+?{_ENDING}/", r"|x\1|"))
"""Replacements of the segments of a path, each between two slashes: digits by zeros, anything else by x."""
_USUAL = {
    "email": "<first>.<last><number>@<domain>",
    "user name": "<first><last><number>",
    "url": "https://www.<domain>/<first>-<last><number>",
}


class Handle(Record):
    """Made-up names of mailboxes, users or pages."""

    kind: Literal["handle"] = "handle"
    shape: HandleShape
    templates: tuple[Template, ...] = Field(min_length=1)
    first: tuple[str, ...] = Field(min_length=1)
    last: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known_parts(self) -> Self:
        only(self.templates, r"first|last|initial|number|domain|extra \d+|(digits|any) [1-6]")
        return self

    @classmethod
    def fit(
        cls, values: pa.Array, shape: HandleShape, language: Language, least_rows: int, besides: Words | None = None
    ) -> Self:
        """Learn how real values are composed. None of their words is kept."""
        real, random = Words(values, besides), secret(values, shape)
        templates = commonest(_templates(values, shape), least_rows, _MOST_TEMPLATES)
        return cls(
            shape=shape,
            templates=templates or (Template(text=_USUAL[shape], weight=1),),
            first=pool("first", language, _FIRST, real, random, plain=True),
            last=pool("last", language, _LAST, real, random, plain=True),
        )

    @property
    def room(self) -> int:
        """Number of rows with values of their own: all."""
        return LIMIT

    def make(self, index: Ints, seed: int) -> pa.Array:
        """The made-up value of each row."""
        block, place = np.divmod(index, len(self.first) * len(self.last))
        pair = permuted(place, len(self.first) * len(self.last), seed, "pair")
        weights = tuple(template.weight for template in self.templates)
        which = chosen(pair, weights, seed, "template")

        def part(name: str, rows: Ints) -> pa.Array:
            return self._part(name, pair[rows], block[rows], seed)

        def maker(template: Template) -> Callable[[Ints], pa.Array]:
            return lambda rows: template.render(rows, part)

        return scattered(which, [maker(template) for template in self.templates])

    def _part(self, name: str, pair: Ints, block: Ints, seed: int) -> pa.Array:
        first, last = np.divmod(pair, len(self.last))
        name, _, argument = name.partition(" ")
        random = (bits(pair, seed, f"{name} {argument}") >> np.uint64(2)).astype(np.int64)
        words = {
            "first": (self.first, first),
            "initial": (tuple(word[0] for word in self.first), first),
            "last": (self.last, last),
            "extra": (self.last, random % len(self.last)),
            "domain": (_DOMAINS, random % len(_DOMAINS)),
        }
        if name in words:
            return _taken(*words[name])
        if name == "number":
            return _numbers(block)
        if name == "any":
            return pc.utf8_lpad(pa.array(random % 10 ** int(argument)).cast(pa.string()), int(argument), "0")
        size = 10 ** int(argument)  # the digits number the blocks of rows, from a random number on
        more, low = np.divmod(block, size)
        digits = pc.utf8_lpad(pa.array((low + random) % size).cast(pa.string()), int(argument), "0")
        return pc.binary_join_element_wise(digits, _numbers(more), "")


def _taken(words: tuple[str, ...], places: Ints) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(places))


def _numbers(numbers: Ints) -> pa.Array:
    """The numbers as texts; the empty text for 0."""
    return pc.if_else(pa.array(numbers == 0), "", pa.array(numbers).cast(pa.string()))


def _templates(values: pa.Array, shape: HandleShape) -> pa.Array:
    """The template of each value; empty if it is not to be repeated."""
    plain = folded(values)
    if shape == "url":
        found = pc.extract_regex(plain, _URL)
        path = pc.replace_substring(pc.binary_join_element_wise(found.field("path"), "/", ""), "/", "//")
        for pattern, sign in _PARTS:
            path = pc.replace_substring_regex(path, pattern=pattern, replacement=sign)
        query = pc.replace_substring_regex(found.field("query"), pattern="[0-9]", replacement="0")
        query = pc.replace_substring_regex(query, pattern="=[^&]*[^&0][^&]*", replacement="=x")
        masks = pc.binary_join_element_wise(found.field("scheme"), found.field("www"), path, query, "\n")
        return _translated(masks, _page)
    if shape == "email":
        plain = pc.extract_regex(plain, r"^(?P<local>[^@]*)@").field("local")
    for pattern, sign in ((r"\p{Nd}", "0"), (r"\p{L}{2,}", "W"), (r"\p{Ll}|\p{Lo}", "I")):
        plain = pc.replace_substring_regex(plain, pattern=pattern, replacement=sign)
    return _translated(plain, _mailbox if shape == "email" else _user)


def _translated(masks: pa.Array, translate: Callable[[str], str]) -> pa.Array:
    encoded = masks.fill_null("").dictionary_encode()
    texts = [translate(mask) if mask else "" for mask in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _user(mask: str) -> str:
    """The template for a mask of words (W), initials (I), digits (0) and signs; empty for an unusual mask."""
    if not set(mask) <= set("WI0._-+ ") or not 1 <= mask.count("W") <= _MOST_WORDS:
        return ""
    words = ["<first>", *[f"<extra {n}>" for n in range(mask.count("W") - 2)], "<last>"]
    if mask.count("W") == 1:
        words = ["<first><last>"]
    runs, text, numbered = _runs(mask), "", False
    for number, run in enumerate(runs):
        if run[0] == "0":
            last = number == len(runs) - 1
            text += f"<{'digits' if last else 'any'} {min(len(run), _MOST_DIGITS)}>"
            numbered |= last
        else:
            text += words.pop(0) if run == "W" else "<initial>" if run == "I" else run
    return text + ("" if numbered else "<number>")


def _runs(mask: str) -> list[str]:
    """The characters of a mask, with runs of zeros kept together."""
    runs: list[str] = []
    for character in mask:
        if character == "0" and runs and runs[-1][0] == "0":
            runs[-1] += character
        else:
            runs.append(character)
    return runs


def _mailbox(mask: str) -> str:
    user = _user(mask)
    return f"{user}@<domain>" if user else ""


def _page(mask: str) -> str:
    """The template for scheme, www, segments and query of a page; numbers, endings and keys are kept."""
    scheme, www, rest = mask.split("\n", 2)
    path, _, query = rest.rpartition("\n")
    segments = [part.partition(".") for part in re.findall(r"\|([^|]*)\|", path)]
    words = [place for place, (name, _, _) in enumerate(segments) if name == "x"]
    names = [f"<extra {n}>" for n in range(len(words) - 2)] + ["<first>", "<last><number>"]
    if len(words) == 1:
        names = ["<first>-<last><number>"]
    made = dict(zip(words, names, strict=False))
    host = "<domain>" if words else "<first>-<last><number>.<domain>"
    parts = [made.get(n) or _figures(name) for n, (name, _, _) in enumerate(segments)]
    whole = "".join(f"/{part}{dot}{ending}" for part, (_, dot, ending) in zip(parts, segments, strict=True))
    asked = re.sub("=(0+|x)", lambda found: "=" + (_figures(found[1]) if found[1] != "x" else "<extra 9>"), query)
    return f"{scheme}{www}{host}{whole}{asked}"


def _figures(zeros: str) -> str:
    """The template for a number of as many digits."""
    return f"<any {min(len(zeros), _MOST_DIGITS)}>"
