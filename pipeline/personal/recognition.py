"""Which columns identify people, judged by a sample of their values and by their name.

Some values are clear by themselves, such as an e-mail address or an account number with check digits. Others are clear
only together with the column's name: ten digits may be anything. So each shape requires a smaller share of fitting
values if the name agrees. The name alone is never enough: five labels in a column `name` are no persons.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.personal.judges import JUDGES
from pipeline.personal.names import Shape, hint
from pipeline.personal.pools import Language
from pipeline.personal.samples import Sample
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
        shape: What the values are.
        reason: Why they were recognised, for people.
        language: The language of names, addresses and texts.
        check: Name of the check characters of the values (`pipeline.personal.checksums`); empty for none.
    """

    shape: Shape
    reason: str
    language: Language = "en"
    check: str = ""


def recognise(name: str, values: pa.Array) -> Recognition | None:
    """Recognise the personal data of a column; None if it holds none.

    Args:
        name: The column's name.
        values: The values without nulls: strings, or integers (telephone, card and identity numbers).
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
    """A sample of distinct values, from evenly spaced rows."""
    places = np.linspace(0, max(len(values) - 1, 0), min(len(values), _SAMPLED)).astype(np.int64)
    taken = values.take(pa.array(places))
    integers = bool(pa.types.is_integer(taken.type))
    texts = pc.utf8_trim_whitespace(taken.cast(pa.string()))
    texts = texts.filter(pc.invert(pc.is_in(pc.utf8_lower(texts), value_set=pa.array(_NOTHING))))
    distinct = texts.unique()
    judged = distinct.take(pa.array(np.linspace(0, max(len(distinct) - 1, 0), min(len(distinct), _JUDGED)).astype(int)))
    return Sample(judged.to_pylist(), len(distinct), len(texts), hint(name), integers=integers)
