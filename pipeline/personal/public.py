"""Public vocabularies: labels that everybody knows, such as countries, currencies and weekdays.

Such labels reveal nothing about a single person, however rare they are in a table. Names are compared without case and
accents, codes as they are written or all in lower case. Any two letters may be a country code by accident, so a column
of few two-letter codes counts only if most of them are common codes.
"""

import json
from functools import cache
from importlib.resources import files

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.personal.folding import folded

_NEARLY_ALL = 0.95
_SHORT = ("country codes of two letters", "language codes", "state codes of the USA")
"""Vocabularies that hold many of all texts of two letters."""
_MANY_SHORT = 8
_COMMON = {
    "country codes of two letters": "AR AT AU BE BR CA CH CN CZ DE DK ES FI FR GB GR HU IE IN IT JP KR LU MX NL NO NZ "
    "PL PT RO RU SE SK TR UA US ZA",
    "language codes": "ar cs da de el en es fi fr hu it ja ko nl no pl pt ro ru sv tr uk zh",
    "state codes of the USA": "AZ CA CO CT FL GA IL IN MA MD MI MN MO NC NJ NV NY OH OR PA TN TX VA WA WI",
}


@cache
def _vocabularies() -> dict[str, frozenset[str]]:
    """Every vocabulary: names folded, codes in capitals and in small letters."""
    texts = json.loads((files("pipeline.personal") / "vocabularies.json").read_text(encoding="utf-8"))
    found = {}
    for name, joined in texts.items():
        labels = joined.split("|")
        if _coded(name):
            found[name] = frozenset([*map(str.upper, labels), *map(str.lower, labels)])
        else:
            found[name] = frozenset(folded(pa.array(labels, pa.string())).to_pylist())
    return found


def _coded(name: str) -> bool:
    return name.partition(" of ")[0].endswith("codes")


def is_public(values: pa.Array) -> NDArray[np.bool_]:
    """Which strings are labels of a public vocabulary, [values].

    Some labels are also first names (Jan, Kenya), so use this only for columns that have a `public_vocabulary`.
    """
    codes = frozenset().union(*(labels for name, labels in _vocabularies().items() if _coded(name)))
    names = frozenset().union(*(labels for name, labels in _vocabularies().items() if not _coded(name)))
    pairs = zip(values.to_pylist(), folded(values).to_pylist(), strict=True)
    return np.array([text in codes or fold in names for text, fold in pairs], dtype=bool)


def public_vocabulary(values: pa.Array) -> str | None:
    """The name of the vocabulary that holds nearly all distinct values; None if there is none.

    Args:
        values: Strings without nulls.
    """
    texts = [text for text in values.unique().to_pylist() if text.strip()]
    if not texts:
        return None
    folds = folded(pa.array(texts, pa.string())).to_pylist()
    for name, labels in _vocabularies().items():
        pairs = zip(texts, texts if _coded(name) else folds, strict=True)
        inside = [text for text, looked in pairs if looked in labels]
        if len(inside) >= _NEARLY_ALL * len(texts) and not _accident(name, inside):
            return name
    return None


def _accident(name: str, texts: list[str]) -> bool:
    """Whether a few two-letter texts may be codes only by chance, or are written in different cases."""
    if not _coded(name):
        return False
    if not (all(text.isupper() for text in texts) or all(text.islower() for text in texts)):
        return True
    common = _COMMON.get(name, "").lower().split()
    return name in _SHORT and len(texts) < _MANY_SHORT and 2 * sum(t.lower() in common for t in texts) <= len(texts)
