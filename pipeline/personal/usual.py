"""The usual layout of each shape of codes, for columns whose real values have none.

0 is any digit, n any digit but 0, and f any hexadecimal digit. Other characters are kept as they are.
"""

import string

from pipeline.personal.pools import Language

CLASSES = {"0": string.digits, "n": string.digits[1:], "f": "0123456789abcdef"}
"""The characters that a sign stands for."""
_TEXTS = {
    "iban": "DE00000000000000000000",
    "card": "4000000000000000",
    "national id": "00000000000",
    "uuid": "ffffffff-ffff-4fff-afff-ffffffffffff",
    "mac address": "ff:ff:ff:ff:ff:ff",
    "code": "00000000",
}
_CALLING = {"de": "49", "en": "1", "fr": "33", "es": "34", "it": "39", "nl": "31", "pt": "351", "pl": "48"}
_INTEGERS = {"phone": "n0000000000", "card": "4000000000000000", "national id": "n0000000000", "code": "n0000000"}


def usual(shape: str, language: Language, digits: int) -> str:
    """The usual layout of a shape.

    Args:
        shape: What the values are.
        language: The language of the country of telephone numbers.
        digits: Most digits of an integer, which has a part of the layout if it has fewer. 0 for texts.
    """
    if digits:
        return _INTEGERS[shape][:digits]
    return _TEXTS.get(shape, f"+{_CALLING[language]} n00 0000000")
