"""Which columns identify people, judged by a sample of their values and by their name.

Some values tell by themselves what they are (an e-mail address, an account number with its check digits). Others do so
only together with the column's name: five labels in a column `name` are no persons, and ten digits may be anything. So
each shape asks for a smaller share of fitting values where the name says the same, and none is taken by its name alone.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.personal.evidence import Sample
from pipeline.personal.judges import JUDGES
from pipeline.personal.names import Shape, hint
from pipeline.personal.pools import Language
from pipeline.records import Record

_SAMPLED, _JUDGED = 40_000, 300
_NOTHING = (
    "",
    "-",
    "--",
    "?",
    ".",
    "n/a",
    "na",
    "none",
    "null",
    "nan",
    "unknown",
    "unbekannt",
    "keine",
    "k.a.",
    "inconnu",
)


class Recognition(Record):
    """What a column holds.

    Attributes:
        shape: What its values are.
        reason: How that was seen, for people.
        language: The language of names, addresses and texts.
        check: The check characters that they carry (`pipeline.personal.checksums`); none where empty.
    """

    shape: Shape
    reason: str
    language: Language = "en"
    check: str = ""


def recognise(name: str, values: pa.Array) -> Recognition | None:
    """What personal data a column holds; None for none.

    Args:
        name: The column's name.
        values: Its values without nulls: strings, or integers, which may be telephone, card or identity numbers.
    """
    sample = _sample(name, values)
    if not sample.texts:
        return None
    for judge in JUDGES:
        found = judge(sample)
        if found:
            return Recognition(
                shape=found.shape, reason=found.reason, language=found.language or sample.language, check=found.check
            )
    return None


def _sample(name: str, values: pa.Array) -> Sample:
    """Distinct values at evenly spaced rows."""
    places = np.linspace(0, max(len(values) - 1, 0), min(len(values), _SAMPLED)).astype(np.int64)
    taken = values.take(pa.array(places))
    integers = bool(pa.types.is_integer(taken.type))
    texts = pc.utf8_trim_whitespace(taken.cast(pa.string()))
    texts = texts.filter(pc.invert(pc.is_in(pc.utf8_lower(texts), value_set=pa.array(_NOTHING))))
    distinct = texts.unique()
    judged = distinct.take(pa.array(np.linspace(0, max(len(distinct) - 1, 0), min(len(distinct), _JUDGED)).astype(int)))
    return Sample(judged.to_pylist(), len(distinct), len(texts), hint(name), integers=integers)
