"""Check characters of cards, bank accounts, products and national identity numbers.

A `Checksum` completes *compact* texts: letters and digits only, all of one length. It computes the check characters
from the other characters and writes them at their places. A text is valid if completing it changes nothing. Checksums
work on whole columns, whose texts are the rows of a matrix of code points.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Texts = NDArray[np.uint32]
"""Code points, [texts, width]."""
_DIGIT, _LETTER = ord("0"), ord("A")
_LARGE = 10**14
_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
"""Values of A … Z at the odd places of a codice fiscale; digits count as the letters of the same rank."""


class Checksum(NamedTuple):
    """How check characters are computed.

    Attributes:
        pattern: A regular expression that compact texts match.
        places: Positions of the check characters.
        complete: Computes the check characters of each text, [texts, places].
        language: The language of the country that uses the check; empty for international checks.
    """

    pattern: str
    places: tuple[int, ...]
    complete: Callable[[Texts], Texts]
    language: str = ""

    def written(self, texts: Texts) -> Texts:
        """The texts with their check characters filled in."""
        written = texts.copy()
        if self.places:
            written[:, list(self.places)] = self.complete(texts)
        return written


def matrix(texts: list[str], width: int) -> Texts:
    """Texts of one length as rows of code points."""
    return np.array(texts, dtype=f"<U{width}").view(np.uint32).reshape(len(texts), width)


def valid(name: str, texts: list[str]) -> float:
    """The share of `texts` that match the pattern of a check and carry the right check characters."""
    check, pattern = CHECKS[name], re.compile(CHECKS[name].pattern)
    lengths: dict[int, list[str]] = {}
    for text in texts:
        if pattern.fullmatch(text):
            lengths.setdefault(len(text), []).append(text)
    right = 0
    for width, same in lengths.items():
        points = matrix(same, width)
        right += int((check.written(points) == points).all(axis=1).sum())
    return right / max(len(texts), 1)


def _digits(texts: Texts) -> NDArray[np.int64]:
    return texts.astype(np.int64) - _DIGIT


def _remainder(digits: NDArray[np.int64], modulus: int) -> NDArray[np.int64]:
    """The numbers with these decimal digits modulo `modulus`, [texts]."""
    rest = np.zeros(len(digits), dtype=np.int64)
    for place in range(digits.shape[1]):
        rest = (rest * 10 + digits[:, place]) % modulus
    return rest


def _decimal(numbers: NDArray[np.int64], places: int) -> Texts:
    powers = 10 ** np.arange(places - 1, -1, -1)
    return (numbers[:, None] // powers % 10 + _DIGIT).astype(np.uint32)


def _luhn(texts: Texts) -> Texts:
    digits = _digits(texts)[:, :-1]
    twice = digits[:, ::-1].copy()
    twice[:, ::2] *= 2
    return _decimal(-(twice // 10 + twice % 10).sum(axis=1) % 10, 1)


def _iban(texts: Texts) -> Texts:
    """98 minus the remainder modulo 97, with letters as 10 … 35 (ISO 13616, ISO 7064 MOD 97-10)."""
    moved = np.concatenate([texts[:, 4:], texts[:, :2]], axis=1).astype(np.int64)
    rest, bound = np.zeros(len(texts), dtype=np.int64), 1
    for place in range(moved.shape[1]):
        points, bound = moved[:, place], bound * 100
        letter = points >= _LETTER
        if not letter.any():
            rest = rest * 10 + (points - _DIGIT)
        else:
            rest = rest * np.where(letter, 100, 10) + np.where(letter, points - _LETTER + 10, points - _DIGIT)
        if bound > _LARGE:
            rest, bound = rest % 97, 97
    return _decimal(98 - rest * 100 % 97, 2)


def _hybrid(texts: Texts) -> Texts:
    """ISO 7064 MOD 11,10: the last digit of a German Steuer-ID."""
    digits = _digits(texts)
    product = np.full(len(texts), 10)
    for place in range(texts.shape[1] - 1):
        total = (digits[:, place] + product) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    return _decimal((11 - product) % 10, 1)


def _pension(texts: Texts) -> Texts:
    """The last digit of a German Versicherungsnummer: digit sums of weighted digits, the letter as two of them."""
    rank = texts[:, 8].astype(np.int64) - _LETTER + 1
    digits = np.column_stack([_digits(texts)[:, :8], rank // 10, rank % 10, _digits(texts)[:, 9:11]])
    weighted = digits * np.array([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
    return _decimal((weighted // 10 + weighted % 10).sum(axis=1) % 10, 1)


def _french(texts: Texts) -> Texts:
    return _decimal(97 - _remainder(_digits(texts)[:, :13], 97), 2)


def _spanish(texts: Texts) -> Texts:
    """The letter of a DNI, or of an NIE, whose X, Y, Z count as 0, 1, 2."""
    digits = _digits(texts)[:, :8]
    digits[:, 0] = np.where(digits[:, 0] > 9, digits[:, 0] + _DIGIT - ord("X"), digits[:, 0])  # noqa: PLR2004
    letters: Texts = np.array([ord(c) for c in _SPANISH], dtype=np.uint32)[_remainder(digits, 23)]
    return letters[:, None]


def _italian(texts: Texts) -> Texts:
    points = texts[:, :15].astype(np.int64)
    ranks = np.where(points >= _LETTER, points - _LETTER, points - _DIGIT)
    total: NDArray[np.int64] = np.asarray(_ODD)[ranks[:, ::2]].sum(axis=1) + ranks[:, 1::2].sum(axis=1)
    return (total % 26 + _LETTER).astype(np.uint32)[:, None]


def _polish(texts: Texts) -> Texts:
    weights = np.array([1, 3, 7, 9, 1, 3, 7, 9, 1, 3])
    return _decimal(-(_digits(texts)[:, :10] * weights).sum(axis=1) % 10, 1)


def _portuguese(texts: Texts) -> Texts:
    rest = (_digits(texts)[:, :8] * np.arange(9, 1, -1)).sum(axis=1) % 11
    return _decimal(np.where(rest < 2, 0, 11 - rest), 1)  # noqa: PLR2004


def _product(texts: Texts) -> Texts:
    """The last digit of an EAN, a UPC or an ISBN of 13 digits: weights 3 and 1 in turn, from the right."""
    digits = _digits(texts)[:, -2::-1]
    return _decimal(-(digits[:, ::2].sum(axis=1) * 3 + digits[:, 1::2].sum(axis=1)) % 10, 1)


def _book(texts: Texts) -> Texts:
    """The last character of an ISBN of 10 characters, modulo 11, where X counts as ten."""
    rest = -(_digits(texts)[:, :9] * np.arange(10, 1, -1)).sum(axis=1) % 11
    return np.where(rest == 10, ord("X"), rest + _DIGIT).astype(np.uint32)[:, None]  # noqa: PLR2004


def _nothing(texts: Texts) -> Texts:
    return texts[:, :0]


PEOPLE = {
    "card": Checksum(r"[1-6]\d{11,18}", (-1,), _luhn),
    "iban": Checksum(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", (2, 3), _iban),
    "Steuer-ID": Checksum(r"[1-9]\d{10}", (-1,), _hybrid, "de"),
    "Versicherungsnummer": Checksum(r"\d{8}[A-Z]\d{3}", (-1,), _pension, "de"),
    "NIR": Checksum(r"[1-478]\d{14}", (-2, -1), _french, "fr"),
    "DNI": Checksum(r"\d{8}[A-Z]|[XYZ]\d{7}[A-Z]", (-1,), _spanish, "es"),
    "codice fiscale": Checksum(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", (-1,), _italian, "it"),
    "PESEL": Checksum(r"\d{11}", (-1,), _polish, "pl"),
    "NIF": Checksum(r"[1-35689]\d{8}", (-1,), _portuguese, "pt"),
    "NINO": Checksum(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", (), _nothing, "en"),
    "SSN": Checksum(r"(?:00[1-9]|0[1-9]\d|[1-578]\d\d|6[0-57-9]\d|66[0-57-9])\d{6}", (), _nothing, "en"),
}
"""Check characters of persons and their accounts; the last two have none, only a pattern."""
THINGS = {
    "EAN": Checksum(r"\d{8}|\d{12,14}", (-1,), _product),
    "ISBN": Checksum(r"\d{9}[\dX]", (-1,), _book),
    "Luhn": Checksum(r"\d{8,19}", (-1,), _luhn),
}
"""Check characters of numbers of things."""
CHECKS = {**PEOPLE, **THINGS}
"""All check characters by name."""
