"""What the settings choose for made-up values: a shape, or a provider of the library Faker."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import get_args

import pyarrow as pa

from pipeline.errors import SettingsError
from pipeline.personal.names import Shape
from pipeline.personal.pools import LANGUAGES, Language
from pipeline.personal.provided import USUAL, Provider
from pipeline.personal.recognition import Recognition, recognise_as

_EVERYDAY: dict[str, Shape] = {"name": "person"}
"""Everyday words for shapes."""
PLURALS: dict[Shape, str] = {
    "email": "e-mail addresses",
    "phone": "telephone numbers",
    "person": "names of persons",
    "first name": "first names",
    "last name": "last names",
    "company": "names of companies",
    "user name": "user names",
    "address": "postal addresses",
    "iban": "account numbers (IBAN)",
    "card": "card numbers",
    "ip": "internet addresses",
    "mac address": "addresses of network cards",
    "url": "web addresses",
    "national id": "national identity numbers",
    "uuid": "UUIDs",
    "free text": "sentences",
    "code": "codes",
}
"""What values of each shape are called."""


def canonical(fake: str) -> str:
    """The name of a shape for an everyday word. Other names stay as they are."""
    return _EVERYDAY.get(fake, fake)


def described(fake: str) -> str:
    """Made-up values of this name, in words."""
    shape = _shape(fake)
    return f"made-up {PLURALS[shape]}" if shape is not None else f"made-up values of Faker's {fake!r}"


def check(fake: str, locale: str | None) -> None:
    """Check that there are made-up values of this name and locale.

    Raises:
        SettingsError: There are none. Near names are suggested.
    """
    shape = _shape(fake)
    if shape is not None and locale is not None and locale[:2] not in LANGUAGES:
        raise SettingsError(f"expected a locale of {', '.join(LANGUAGES)} for {PLURALS[shape]}, got {locale!r:.80}")
    if locale is not None:
        from faker.config import AVAILABLE_LOCALES  # noqa: PLC0415 - most settings need no Faker

        if locale not in AVAILABLE_LOCALES:
            near = _near(locale, AVAILABLE_LOCALES)
            raise SettingsError(f"expected a locale of Faker such as 'de_DE', got {locale!r:.80}{near}")
    if shape is not None:
        return
    provider = Provider(name=fake, locale=locale or USUAL)
    known = provider.known()
    if fake not in known:
        shapes, near = ", ".join(PLURALS), _near(fake, [*PLURALS, *_EVERYDAY, *sorted(known)])
        raise SettingsError(
            f"expected made-up values of a shape ({shapes}) or of a provider of Faker in {provider.locale},"
            f" got {fake!r:.80}{near}"
        )
    provider.check()


def look(fake: str, locale: str | None, name: str, values: pa.Array) -> Recognition | Provider:
    """What made-up values of this name and locale look like.

    Args:
        fake: The name of a shape or of a provider.
        locale: A locale of Faker. For a shape, only its language counts.
        name: The column's name.
        values: The real values without nulls: strings or integers.
    """
    shape = _shape(fake)
    if shape is None:
        return Provider(name=fake, locale=locale or USUAL)
    return recognise_as(name, values, shape, _language(locale))


def _shape(fake: str) -> Shape | None:
    """The shape of this name. None for a provider."""
    return next((shape for shape in get_args(Shape) if shape == canonical(fake)), None)


def _language(locale: str | None) -> Language | None:
    return next((language for language in LANGUAGES if locale is not None and language == locale[:2]), None)


def _near(name: str, names: Iterable[str]) -> str:
    """Near names as the end of a message."""
    near = get_close_matches(name, sorted(set(names)), n=3)
    return f"; near it: {', '.join(map(repr, near))}" if near else ""
