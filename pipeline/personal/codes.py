"""Made-up codes: texts of a pattern, such as order or telephone numbers.

Real values are grouped by layout, in three steps. The first step treats all letters and digits alike. The second tells
digits, capitals and small letters apart. The third keeps letters as they are and treats all digits alike. A group is
divided further if groups of at least `least_rows` rows cover nearly all of it. As a result no two layouts have a text
in common, nothing that fewer rows share is kept, and no text of a layout is a real value of the same length.
"""

import string
from functools import partial
from typing import Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from pipeline.errors import SchemaError
from pipeline.personal.checksums import CHECKS, Texts, matrix
from pipeline.personal.folding import secret
from pipeline.personal.layouts import Layouts, Pattern, beyond, combinations, compact_places, countable, runs
from pipeline.personal.mixing import Ints
from pipeline.personal.pools import Language
from pipeline.personal.rooms import LIMIT, Room
from pipeline.personal.usual import CLASSES, usual
from pipeline.records import Record

CodeShape = Literal["phone", "iban", "card", "national id", "uuid", "mac address", "code"]
_CALLING = (
    r"(?:\+|00) ?(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|2[1-689]\d|3[578]\d|42\d|5[09]\d|6[7-9]\d|8[0578]\d|9[679]\d)"
)
_PREFIXES = {"phone": _CALLING, "iban": "[A-Z]{2}", "card": r"\d"}
_MASKS = (
    (("[A-Za-z0-9]", "x"),),
    (("[0-9]", "0"), ("[A-Z]", "A"), ("[a-z]", "a")),
    (("[0-9]", "0"),),
)
"""The replacements of each grouping step."""
_MOST_LAYOUTS, _LONGEST = 64, 200
_LEAST_SHARES, _NEARLY_ALL = (0.0, 0.05, 0.0), 0.9
_ENOUGH, _PLENTY = 20_000, 1_000_000
_WIDER = 8
_ODD = 1_000_003
_OPEN_NUMBERS, _OPEN_ALL, _OPEN_EVERYTHING = 2, 3, 4
_HEAD = "\x1f"
_LETTERS = frozenset(string.ascii_letters + string.digits)


class Alike(NamedTuple):
    """Real values of one layout.

    Attributes:
        texts: The distinct values, all of one length.
        rows: Number of rows of each value.
        real: All distinct real values of this length, in any layout.
        prefix: Number of leading characters that are kept as they are.
    """

    texts: list[str]
    rows: NDArray[np.int64]
    real: list[str]
    prefix: int


class Character(NamedTuple):
    """One place of a layout.

    Attributes:
        seen: Number of rows with each character.
        fixed: Whether the place belongs to the prefix.
        digits: Whether only digits were seen.
        first: Whether the place holds the first digit of a number.
        varied: Whether the number around the place varies.
    """

    seen: dict[str, int]
    fixed: bool
    digits: bool
    first: bool
    varied: bool


class Code(Record):
    """Made-up values of a pattern, one for each row.

    Attributes:
        shape: What the values are.
        layouts: Their layouts.
        most: After as many rows values repeat, because longer ones would not fit their type. 0 if they never do.
    """

    kind: Literal["code"] = "code"
    shape: CodeShape
    layouts: Layouts
    most: int = Field(default=0, ge=0, le=LIMIT)

    @classmethod
    def fit(
        cls,
        values: pa.Array,
        shape: CodeShape,
        check: str,
        least_rows: int,
        language: Language = "en",
        digits: int = 0,
    ) -> Self:
        """Learn the layouts of real values.

        Args:
            values: The values, as strings.
            shape: What they are.
            check: Name of their check characters; empty for none.
            least_rows: No layout of fewer rows is kept.
            language: The language of the country of telephone numbers without a layout.
            digits: Most digits of a value of an integer type. 0 for texts.

        Raises:
            SchemaError: Every number of so few digits is a real one.
        """
        random = secret(values, shape)
        counted = values.value_counts()
        texts, rows = counted.field("values"), counted.field("counts").to_numpy()
        alike = pc.replace_substring_regex(texts, pattern="X$", replacement="0") if check == "ISBN" else texts
        groups = _groups(texts, alike, rows, _PREFIXES.get(shape), least_rows)
        groups = [group for group in groups if not digits or len(group.texts[0]) <= digits]
        total = sum(int(group.rows.sum()) for group in groups) or 1
        layouts = []
        for group in groups:
            weight = max(1, round(1000 * int(group.rows.sum()) / total))
            layouts += _layouts(group, shape, check, least_rows, weight, random)
        if not layouts or (digits and not any(layout.room.size for layout in layouts)):
            layouts = [_fallback(texts.to_pylist(), usual(shape, language, digits), check, random)]
        longest = -(-int(pc.max(pc.utf8_length(texts)).as_py() or 0) // 4) * 4
        found = Layouts(layouts=tuple(layouts), longest=longest)
        if not digits or max(longest, *(layout.width for layout in layouts)) < digits:
            return cls(shape=shape, layouts=found)
        if not found.room:
            raise SchemaError(f"expected a number of at most {digits} digits that is no real one, got none")
        return cls(shape=shape, layouts=found, most=found.room)

    @property
    def room(self) -> int:
        """Number of rows with values of their own."""
        return self.most or LIMIT

    def make(self, index: Ints, seed: int) -> pa.Array:
        """The made-up value of each row."""
        return self.layouts.make(index % self.most if self.most else index, seed)


def _masked(texts: pa.Array, step: int, prefix: str | None) -> pa.Array:
    """The layout of each text at a grouping step. The last step keeps the prefix."""
    head = None
    if prefix and step == len(_MASKS) - 1:
        found = pc.extract_regex(texts, f"(?s)^(?P<head>{prefix})?(?P<rest>.*)$")
        head, texts = found.field("head"), found.field("rest")
    for pattern, replacement in _MASKS[step]:
        texts = pc.replace_substring_regex(texts, pattern=pattern, replacement=replacement)
    return texts if head is None else pc.binary_join_element_wise(head, texts, _HEAD)


def _groups(
    texts: pa.Array, alike: pa.Array, rows: NDArray[np.int64], prefix: str | None, least_rows: int
) -> list[Alike]:
    """Groups of the most common layouts, each with at least `least_rows` rows. `alike` has digits for check letters."""
    lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    odd = pc.match_substring_regex(texts, f"[\\x00{_HEAD}]").to_numpy(zero_copy_only=False)
    usable = np.flatnonzero((lengths > 0) & (lengths <= _LONGEST) & ~odd)
    parts = _divided(alike, rows, usable, 0, prefix, least_rows)
    parts.sort(key=lambda part: -int(rows[part[0]].sum()))
    real: dict[int, list[str]] = {}
    for members, _ in parts[:_MOST_LAYOUTS]:
        width = int(lengths[members[0]])
        if width not in real:
            real[width] = texts.take(np.flatnonzero((lengths == width) & ~odd)).to_pylist()
    return [
        Alike(texts.take(members).to_pylist(), rows[members], real[int(lengths[members[0]])], head)
        for members, head in parts[:_MOST_LAYOUTS]
    ]


def _divided(
    texts: pa.Array, rows: NDArray[np.int64], members: Ints, step: int, prefix: str | None, least_rows: int
) -> list[tuple[Ints, int]]:
    """The groups that a step finds among `members`, divided further if that loses few, each with its prefix."""
    if not len(members):
        return []
    masks = _masked(texts.take(members), step, prefix).dictionary_encode()
    ids = masks.indices.to_numpy(zero_copy_only=False)
    weight = np.bincount(ids, weights=rows[members], minlength=len(masks.dictionary))
    least = max(least_rows, _LEAST_SHARES[step] * weight.sum())
    found: list[tuple[Ints, int]] = []
    for mask in np.argsort(-weight, kind="stable")[:_MOST_LAYOUTS].tolist():
        if weight[mask] < least:
            break
        group = members[ids == mask]
        head = masks.dictionary[mask].as_py().partition(_HEAD)[0] if prefix and step == len(_MASKS) - 1 else ""
        finer = _divided(texts, rows, group, step + 1, prefix, least_rows) if step + 1 < len(_MASKS) else []
        finer = [part for part in finer if len(part[0]) > 1]  # the layout of a single text would be the text itself
        kept = sum(int(rows[part].sum()) for part, _ in finer)
        found += finer if kept >= _NEARLY_ALL * weight[mask] else [(group, len(head))]
    return found


def _layouts(
    group: Alike, shape: str, check: str, least_rows: int, weight: int, random: np.random.Generator
) -> list[Pattern]:
    """The layouts of a group: the characters that were seen, and as few others as give enough room.

    A counter has two layouts, one of numbers near it and one of all others. The second has no share of the rows.
    """
    points, real = matrix(group.texts, len(group.texts[0])), matrix(group.real, len(group.texts[0]))
    places = _places(points, group)
    check = check if _fits(check, "".join(c for c in group.texts[0] if c.isalnum())) else ""

    def pattern(level: int, run: tuple[int, int] = (0, 0)) -> tuple[str, ...]:
        within = range(*run)
        levels = (_OPEN_ALL if place in within else level for place in range(len(places)))
        return _checked(tuple(map(partial(_alphabet, least_rows=least_rows, shape=shape), places, levels)), check)

    run = _running(points, places)
    if run is not None:
        alphabets = pattern(0, run)
        found = beyond(taken_numbers(real, alphabets), alphabets, run)
        if found is not None:
            shares = zip((weight, 0), found, strict=True)
            return [Pattern(alphabets=alphabets, weight=share, check=check, room=room) for share, room in shares]
    enough, least = (_ENOUGH, _OPEN_NUMBERS) if shape == "code" else (_PLENTY, _OPEN_ALL)
    for level in range(_OPEN_EVERYTHING + 1):
        alphabets = pattern(level)
        taken = taken_numbers(real, alphabets)
        free = combinations(alphabets) - len(taken)
        if free >= max(enough, _WIDER * len(group.texts)) or (level >= least and free):
            break
    want = max(_ENOUGH, 2 * len(group.texts))
    room = Room.between(taken, combinations(alphabets), want, least_rows, random)
    return [Pattern(alphabets=alphabets, weight=weight, check=check, room=room)]


def _running(points: Texts, places: list[Character]) -> tuple[int, int] | None:
    """The run of digits with the most different values, up to the last digit that varies; None if no digit varies."""
    found = []
    for first, end in runs(tuple("0" if place.digits else " " for place in places)):
        varying = [place + 1 for place in range(first, end) if len(places[place].seen) > 1]
        if varying:
            powers = np.uint64(_ODD) ** np.arange(end - first, dtype=np.uint64)  # wraps around, as hashes do
            found.append((len(np.unique(points[:, first:end].astype(np.uint64) @ powers)), first, varying[-1]))
    return max(found)[1:] if found else None


def _fallback(real: list[str], mask: str, check: str, random: np.random.Generator) -> Pattern:
    """The usual layout, for columns that have none."""
    alphabets = tuple(CLASSES.get(c, c) for c in mask)
    check = check if _fits(check, mask) else ""
    alphabets = _checked(alphabets, check)
    same = [text for text in real if len(text) == len(mask) and "\0" not in text]
    taken = taken_numbers(matrix(same, len(mask)), alphabets) if same else np.zeros(0, dtype=np.int64)
    room = Room.between(taken, combinations(alphabets), _ENOUGH, 1, random)
    return Pattern(alphabets=alphabets, weight=1000, check=check, room=room)


def _fits(check: str, compact: str) -> bool:
    """Whether the texts of a layout can carry the check characters."""
    lengths = {"card": range(12, 20), "iban": range(15, 35), "Steuer-ID": (11,), "PESEL": (11,), "NIR": (15,)}
    lengths |= {
        "EAN": (8, 12, 13, 14),
        "ISBN": (10,),
        "Luhn": range(8, 20),
        "Versicherungsnummer": (12,),
        "DNI": (9,),
        "NIF": (9,),
        "codice fiscale": (16,),
    }
    letters = check in {"iban", "ISBN", "Versicherungsnummer", "DNI", "codice fiscale"}
    return check in CHECKS and len(compact) in lengths.get(check, ()) and (letters or compact.isdigit())


def _checked(alphabets: tuple[str, ...], check: str) -> tuple[str, ...]:
    """The alphabets, with one placeholder at the places of check characters."""
    if not check:
        return alphabets
    compact = compact_places(alphabets)
    places = {int(compact[place]) for place in CHECKS[check].places}
    return tuple("0" if place in places else alphabet for place, alphabet in enumerate(alphabets))


def _places(points: Texts, group: Alike) -> list[Character]:
    """What was seen at each place of a group's texts."""
    seen = []
    for place in range(points.shape[1]):
        characters, inverse = np.unique(points[:, place], return_inverse=True)
        counts = np.bincount(inverse, weights=group.rows)
        seen.append({chr(c): int(n) for c, n in zip(characters.tolist(), counts.tolist(), strict=True)})
    digits = [set(each) <= set(string.digits) and place >= group.prefix for place, each in enumerate(seen)]
    places = []
    for place, each in enumerate(seen):
        first = last = place
        while digits[place] and first and digits[first - 1]:
            first -= 1
        while digits[place] and last + 1 < len(seen) and digits[last + 1]:
            last += 1
        varied = any(len(seen[other]) > 1 for other in range(first, last + 1))
        places.append(Character(each, place < group.prefix, digits[place], first == place, varied))
    return places


def _alphabet(place: Character, level: int, least_rows: int, shape: str) -> str:
    """The characters of one place.

    Each level adds to the one before. Level 0 has the characters of at least `least_rows` rows. Level 1 adds all
    characters of their classes if the place varies. Level 2 adds every digit if the number varies elsewhere. Level 3
    adds every digit, and level 4 every letter, for texts that are all the same.
    """
    opened = place.digits and (level >= _OPEN_ALL or (level == _OPEN_NUMBERS and place.varied))
    opened |= level == _OPEN_EVERYTHING and all(c in _LETTERS for c in place.seen)
    if place.fixed or (len(place.seen) == 1 and not opened):
        return next(iter(place.seen))
    common = {c for c, rows in place.seen.items() if rows >= least_rows}
    if level == 0 and len(common) > 1:
        return "".join(sorted(common))
    everything = {c for kind in _classes(set(place.seen), shape) for c in kind}
    if place.digits and place.first and "0" not in place.seen:
        everything.discard("0")
    return "".join(sorted(everything | common))


def _classes(seen: set[str], shape: str) -> list[str]:
    """All characters of the classes that were seen. Hexadecimal digits are a class."""
    if shape in {"uuid", "mac address"}:
        upper = any(c.isupper() for c in seen)
        return [string.digits, "ABCDEF" if upper else "abcdef"]
    kinds = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
    return [kind for kind in kinds if seen & set(kind)]


def taken_numbers(points: Texts, alphabets: tuple[str, ...]) -> Ints:
    """The distinct numbers of the texts that have one, sorted."""
    numbers = np.zeros(len(points), dtype=np.int64)
    fits = np.ones(len(points), dtype=bool)
    for place in range(len(alphabets) - countable(alphabets), len(alphabets)):
        if len(alphabets[place]) == 1:
            continue
        letters = np.array(sorted(ord(c) for c in alphabets[place]), dtype=np.uint32)
        digit = np.searchsorted(letters, points[:, place]).clip(max=len(letters) - 1)
        fits &= letters[digit] == points[:, place]
        numbers = numbers * len(letters) + digit
    return np.unique(numbers[fits])
