"""Made-up postal addresses, with the parts and the order of the real ones.

Real addresses are split at commas and line ends. For each part, only its kind is kept (street, house number, flat, or
place with postcode) and where the digits stand. Made-up streets and places are named with words of no real value.
"""

import re
from collections.abc import Callable
from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from pipeline.personal.folding import Words, secret
from pipeline.personal.mixing import Ints, below, chosen
from pipeline.personal.pools import Language, pool
from pipeline.personal.templates import Template, commonest, only, scattered
from pipeline.records import Record

_STREET_WORDS = (
    "str weg platz allee ring damm ufer street st road rd avenue ave av lane ln drive dr blvd boulevard court ct way "
    "rue chemin impasse place quai route calle avenida avda plaza paseo via viale piazza corso vicolo straat plein rua "
    "ulica ul gasse steig gate terrace crescent square"
)
_STREET_ENDS = ("straße", "strasse", "str", "gasse", "weg", "platz", "allee", "damm", "straat", "laan", "plein")
_KNOWN_STREETS = frozenset(_STREET_WORDS.split())
_LETTERS = re.compile(r"[^\W\d_]+")
_NAMED = re.compile(r"<(?:street|city)", re.IGNORECASE)
_STREETS: dict[str, tuple[str, ...]] = {
    "de": ("{}straße", "{}weg", "{}gasse", "{}platz", "{}allee"),
    "en": ("{} Street", "{} Road", "{} Avenue", "{} Lane", "{} Drive"),
    "fr": ("rue {}", "avenue {}", "boulevard {}", "place {}", "chemin {}"),
    "es": ("Calle {}", "Avenida {}", "Plaza {}", "Paseo {}"),
    "it": ("Via {}", "Viale {}", "Piazza {}", "Corso {}"),
    "nl": ("{}straat", "{}laan", "{}weg", "{}plein"),
    "pt": ("Rua {}", "Avenida {}", "Praça {}", "Travessa {}"),
    "pl": ("ul. {}", "al. {}", "pl. {}"),
}
_CITIES: dict[str, tuple[str, ...]] = {
    "de": ("{}hausen", "{}dorf", "{}stadt", "{}berg"),
    "en": ("{}ton", "{}ville", "{}field", "{}ford"),
    "fr": ("Saint-{}", "{}-sur-Mer", "{}ville"),
    "es": ("San {}", "Villa {}", "{} del Río"),
    "it": ("San {}", "Borgo {}", "{} Terme"),
    "nl": ("{}dam", "{}wijk", "{}dorp"),
    "pt": ("São {}", "Vila {}"),
    "pl": ("{}ów", "{}owo"),
}
_STATES_WORDS = "AL AK AZ AR CA CO FL GA IL IN IA KS KY MA MD MI MN MO NC NJ NM NV NY OH OK OR PA SC TN TX UT VA WA WI"
_STATES = tuple(_STATES_WORDS.split())
_POSTCODE_LETTERS, _POSTCODE_DIGITS = tuple("ABCDEHKLMNPRS"), tuple("123456789")
_POSTCODE = ("letter", "letter", "digit", "digit", "letter", "letter")
_UNIT = re.compile(
    r"\b(Apt\.?|Apartment|Suite|Ste\.?|Unit|Flat|Studio|Piso|Puerta|Appt\.?|Appartement|Whg\.?)\s*\d+", re.IGNORECASE
)
_PIECE = re.compile(
    r"(?P<british>\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b)|(?P<state>\b[A-Z]{2}\b(?= \d))|(?P<number>\d+)"
    r"|(?P<words>[^\W\d_](?:[^\d,;\n()]*[^\W\d_])?)"
)
_WORDS, _MOST_TEMPLATES, _SAMPLE, _MOST_DIGITS, _HOUSES = 300, 32, 20_000, 8, 180


class Address(Record):
    """Made-up postal addresses."""

    kind: Literal["place"] = "place"
    templates: tuple[Template, ...] = Field(min_length=1)
    streets: tuple[str, ...] = Field(min_length=1)
    cities: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known_parts(self) -> Self:
        only(self.templates, r"(street|city|house|state|british)( \d+)*|digits [1-8]( \d+)*")
        return self

    @classmethod
    def fit(cls, values: pa.Array, language: Language, least_rows: int, besides: Words | None) -> Self:
        """Learn how real addresses are composed. Only words for flats are kept of them."""
        real, random = Words(values, besides), secret(values, "address")
        words = pool("last", language, 2 * _WORDS, real, random)
        streets, cities = _STREETS[language], _CITIES[language]
        rows = np.linspace(0, max(len(values) - 1, 0), min(len(values), _SAMPLE)).astype(np.int64)
        formats = pa.array([_format(text) for text in values.take(pa.array(rows)).to_pylist()], pa.string())
        return cls(
            templates=commonest(formats, least_rows, _MOST_TEMPLATES) or (_usual(language),),
            streets=tuple(streets[n % len(streets)].format(word) for n, word in enumerate(words[::2])),
            cities=tuple(cities[n % len(cities)].format(word) for n, word in enumerate(words[1::2])),
        )

    def make(self, index: Ints, seed: int) -> pa.Array:
        """The made-up address of each row."""
        which = chosen(index, tuple(template.weight for template in self.templates), seed, "template")

        def maker(template: Template) -> Callable[[Ints], pa.Array]:
            return lambda rows: template.render(rows, lambda name, within: self._part(name, index[within], seed))

        return scattered(which, [maker(template) for template in self.templates])

    def _part(self, name: str, rows: Ints, seed: int) -> pa.Array:
        kind, _, argument = name.partition(" ")
        if kind == "digits":
            places = int(argument.split()[0])
            numbers = pa.array(below(rows, 10**places, seed, name)).cast(pa.string())
            return pc.utf8_lpad(numbers, places, "0")
        if kind == "house":
            return pa.array(below(rows, _HOUSES, seed, name) + 1).cast(pa.string())
        if kind == "british":
            pieces = [self._part(f"{piece} {n} {argument}", rows, seed) for n, piece in enumerate(_POSTCODE)]
            return pc.binary_join_element_wise(*pieces[:3], " ", *pieces[3:], "")
        words = {"street": self.streets, "city": self.cities, "state": _STATES, "letter": _POSTCODE_LETTERS}.get(
            kind, _POSTCODE_DIGITS
        )
        return pa.array(words, pa.string()).take(pa.array(below(rows, len(words), seed, name)))


def names_street(text: str) -> bool:
    """Whether a text holds a word for streets, in eight languages."""
    words = _LETTERS.findall(text.lower())
    return any(word in _KNOWN_STREETS or word.endswith(_STREET_ENDS) for word in words)


def _usual(language: Language) -> Template:
    order = "<house> <Street>, <City>" if language in {"en", "fr"} else "<Street> <house>, <digits 5> <City>"
    return Template(text=order, weight=1)


def _format(text: str) -> str:
    """The template of an address; empty if it names neither a street nor a place."""
    parts, named = [], False
    for number, part in enumerate(re.split(r"(\s*[,;\n]\s*)", text.strip())):
        if number % 2:
            parts.append(part)
        elif unit := _UNIT.search(part):
            before = _format(part[: unit.start()])
            parts.append(f"{before}{' ' if before else ''}{unit[1]} <digits 2 {number}>")
        elif names_street(part) or (not named and re.search(r"[^\W\d_]{3}", part)):
            parts.append(_street(part, number))
        elif re.fullmatch(r"\d{1,4} ?[a-zA-Z]?|s/n", part):
            parts.append(f"<house {number}>")
        else:
            parts.append(_PIECE.sub(lambda found, number=number: _piece(found, number), part))
        named = named or _NAMED.search(parts[-1]) is not None
    return "".join(parts) if named else ""


def _street(part: str, number: int) -> str:
    """The template of a street, with the house number at its place."""
    name = f"<STREET {number}>" if part.isupper() else f"<Street {number}>"
    if not re.search(r"\d", part):
        return name
    return f"<house {number}> {name}" if part[0].isdigit() else f"{name} <house {number}>"


def _piece(found: "re.Match[str]", number: int) -> str:
    """The template of a part that names a place, a state or a postcode."""
    text, tag = found.group(), f"{number} {found.start()}"
    if found["number"]:
        return f"<digits {min(len(text), _MOST_DIGITS)} {tag}>"
    if found["words"]:
        return f"<CITY {tag}>" if text.isupper() and len(text) > 1 else f"<City {tag}>"
    return f"<British {tag}>" if found["british"] else f"<State {tag}>"
