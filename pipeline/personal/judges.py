"""The judges of `pipeline.personal.recognition`. Each looks in a sample for one shape, or for a few similar ones."""

# ruff: noqa: PLR2004 - each threshold is used once, where its meaning shows
import ipaddress
import re
from collections.abc import Callable
from dataclasses import replace

from pipeline.personal.checksums import PEOPLE, THINGS, valid
from pipeline.personal.names import Shape
from pipeline.personal.people import LEGAL
from pipeline.personal.places import names_street
from pipeline.personal.samples import Opinion, Sample

_THREE, _FEW, _SOME = 3, 8, 20
_MAIL = re.compile(r"[^@\s,;<>]+@[^@\s]+\.[^@\s.]{2,}")
_WEB = re.compile(r"(?:https?|ftp)://\S+|www\.\S+\.\S{2,}", re.IGNORECASE)
_UUID = re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}", re.IGNORECASE)
_NUMBER = re.compile(r"(?=(?:\D*\d){6,15}\D*$)[+(]?[\d(][\d\s().\-/]*\d(?: ?(?:x|ext\.?) ?\d{1,5})?")
_ABROAD = re.compile(r"(?=(?:\D*\d){8,15}\D*$)(?:\+|00)[1-9][\d\s().\-/]*\d")
_AT_HOME = re.compile(
    r"(?=(?:\D*\d){9,12}\D*$)(?:\(?0\d{1,5}\)?[\s/\-.]+\d[\d\s/\-.]*\d"
    r"|\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}|0[1-9](?:[ .]\d\d){4})"
)
_SOCIAL = re.compile(r"\d{3}-\d{2}-\d{4}")
_NAME_WORD = r"[^\W\d_](?:[^\W\d_]|['’.\-])*"
_NAME = re.compile(rf"{_NAME_WORD}(?:(?:, ?| ){_NAME_WORD}){{0,5}}")
_CAPITAL = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*(?:,? [^\W\d_]+(?:['’\-][^\W\d_]+)*){1,2}")
_TITLES = re.compile(r"^(?:[^\W\d_]{1,5}\.[^\W\d_]{0,2} )+")
"""Dr. med., Sig.ra"""
_HANDLE = re.compile(r"(?=.*[^\W\d_])[\w.+@\-]{2,40}")
_MEASURED = re.compile(
    r"[+-]?\d+[.,]\d+(?:[eE][+-]?\d+)?|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[ T].*)?|\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?"
)
"""Decimal numbers, dates and times that are written as texts."""
_NUMBERED = re.compile(r"(?=.*\d)(?=.*[^\W\d_]).+", re.DOTALL)


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _reason(share: float, what: str) -> str:
    return f"{_percent(share)} of the values {what}"


def _by_pattern(shape: Shape, pattern: "re.Pattern[str]", what: str) -> Callable[[Sample], Opinion | None]:
    def judge(sample: Sample) -> Opinion | None:
        share = sample.share(pattern)
        least = 0.4 if sample.hinted(shape) else 0.8
        return Opinion(shape, _reason(share, f"have the shape of {what}")) if share >= least else None

    return judge


def _address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.partition("/")[0]) is not None
    except ValueError:
        return False


def _ip(sample: Sample) -> Opinion | None:
    share = sum(map(_address, sample.texts)) / len(sample.texts)
    high = sum(not re.match(r"\d\.", text) for text in sample.texts) / len(sample.texts)  # 1.2.3.4 may be a version
    if sample.integers or share < (0.4 if sample.hinted("ip") else 0.8) or not (sample.hinted("ip") or high > 0.5):
        return None
    return Opinion("ip", _reason(share, "are internet addresses"))


def _account(sample: Sample) -> Opinion | None:
    share = valid("iban", sample.compact)
    if share >= (0.4 if sample.hinted("iban") else 0.8):
        return Opinion("iban", _reason(share, "are account numbers (IBAN) with valid check digits"))
    return None


def _card(sample: Sample) -> Opinion | None:
    share = valid("card", sample.compact)
    if len(sample.texts) >= _FEW and share >= 0.9:
        return Opinion("card", _reason(share, "are card numbers with a valid check digit"), check="card")
    if not sample.hinted("card"):
        return None
    share = sample.share(re.compile(r"(?:[\dXx*•][ -]?){8,19}"))
    if share < 0.6 or sample.variety < 0.2:
        return None
    return Opinion("card", "the name says a card number and the values look like it")


def _identity(sample: Sample) -> Opinion | None:
    hinted = sample.hinted("national id")
    shares = {name: valid(name, sample.compact) for name in PEOPLE if name not in {"card", "iban"}}
    if not hinted:
        shares["SSN"] = sample.share(_SOCIAL)
    best = max(shares, key=lambda name: shares[name])
    told = hinted or (best in {"NIR", "DNI", "codice fiscale", "Versicherungsnummer"})
    if shares[best] >= 0.9 and (hinted or (len(sample.texts) >= (_FEW if told else _SOME) and sample.variety > 0.5)):
        reason = _reason(shares[best], f"have the shape of a national identity number ({best})")
        return Opinion("national id", reason, PEOPLE[best].language or None, best)  # type: ignore[arg-type]
    coded = sum(any(c.isdigit() for c in text) and 5 <= len(text) <= 20 for text in sample.compact)
    if hinted and coded >= 0.8 * len(sample.texts) and sample.variety > 0.5:
        return Opinion("national id", "the name says an identity number and the values look like it")
    return None


def _phone(sample: Sample) -> Opinion | None:
    if sample.hinted("phone"):
        share = sample.share(_NUMBER)
        if share >= 0.6 and sample.variety > 0.05:
            return Opinion("phone", "the name says a telephone number and the values look like it")
        return None
    if sample.integers or (sample.hint is not None and sample.hint.shape in {"national id", "card", "iban"}):
        return None
    share = max(sample.share(_ABROAD), sample.share(_AT_HOME))
    if share >= 0.9 and sample.variety > 0.3:
        return Opinion("phone", _reason(share, "have the shape of a telephone number"))
    return None


def _company(sample: Sample) -> Opinion | None:
    legal = sum(bool(LEGAL.search(text)) for text in sample.texts) / len(sample.texts)
    hinted = sample.hinted("company")
    words = sample.share(re.compile(r"(?=.*[^\W\d_]{2}).{2,60}"))
    if hinted and words >= 0.8 and sample.distinct >= _SOME and (legal >= 0.2 or sample.variety > 0.5):
        return Opinion("company", "the name says a company and the values look like it")
    if legal >= 0.4 and sample.variety > 0.3 and len(sample.texts) >= _FEW:
        return Opinion("company", _reason(legal, "end with the legal form of a company"))
    return None


def _person(sample: Sample) -> Opinion | None:
    looks = sample.share(_NAME)
    if sample.integers or looks < 0.7 or sample.mean_words > 5:
        return None
    return _named_person(sample) or _names(sample)


def _named_person(sample: Sample) -> Opinion | None:
    """Persons, by the column's name and by values that look like names."""
    hint = sample.hint
    if hint is None or hint.shape not in {"person", "first name", "last name"}:
        return None
    first, last = sample.hits("first"), sample.hits("last")
    several, few = sample.distinct >= _SOME, sample.distinct < _FEW
    if not hint.sure and sample.mean_words < 1.5 and several and max(first, last) >= 0.5:
        what: Shape = "first name" if first >= last else "last name"
        return Opinion(what, f"the name says a name and the values look like {what}s")
    if hint.sure:
        known = max(first, last)
        enough = known >= 0.4 or (known >= 0.15 and several) or (sample.variety > 0.5 and not few)
    else:
        varied = sample.variety > 0.3 or sample.distinct >= 10 * _SOME
        enough = max(first, last) >= 0.3 and sample.mean_words >= 1.5 and varied
    what = hint.shape
    told = {"first name": "a first name", "last name": "a last name"}.get(what, "a person's name")
    return Opinion(what, f"the name says {told} and the values look like it") if enough else None


def _names(sample: Sample) -> Opinion | None:
    """Persons, by values that begin like a name: nearly all different, or nearly all known names."""
    if sample.hinted("free text", "address"):
        return None
    sample = replace(sample, texts=[_TITLES.sub("", text) for text in sample.texts])
    first = max(sample.hits("first", 0), sample.hits("first", 1))
    capital = sum(bool(_CAPITAL.fullmatch(text)) and _capitalised(text) for text in sample.texts)
    if capital < 0.7 * len(sample.texts):
        return None
    if sample.distinct >= _FEW and sample.variety >= 0.7 and first >= 0.5:
        return Opinion("person", _reason(first, "begin like a person's name and nearly all differ"))
    if sample.distinct >= _THREE and first >= 0.8 and sample.hits("last") >= 0.5:
        return Opinion("person", _reason(first, "are first and last names"))
    return None


def _capitalised(text: str) -> bool:
    words = text.split()
    return words[0][0].isupper() and words[-1][0].isupper()


def _place(sample: Sample) -> Opinion | None:
    streets = sum(names_street(text) for text in sample.texts) / len(sample.texts)
    numbered = sample.share(_NUMBERED)
    if sample.hinted("address") and sample.distinct >= _FEW:
        if streets >= 0.3 or (numbered >= 0.6 and sample.variety > 0.3 and sample.mean_words >= 2):
            return Opinion("address", "the name says an address and the values look like it")
        if sample.variety > 0.7 and sample.mean_words >= 2:
            return Opinion("address", "the name says an address and nearly all values differ")
    both = sum(names_street(text) and bool(_NUMBERED.fullmatch(text)) for text in sample.texts) / len(sample.texts)
    if both >= 0.7 and sample.variety > 0.5 and len(sample.texts) >= _FEW and sample.mean_words < 12:
        return Opinion("address", _reason(both, "have a street and a number"))
    return None


def _user(sample: Sample) -> Opinion | None:
    if sample.hinted("user name") and sample.share(_HANDLE) >= 0.9 and sample.variety > 0.3 and sample.distinct >= _FEW:
        return Opinion("user name", "the name says a user name and the values look like it")
    return None


def _text(sample: Sample) -> Opinion | None:
    if sample.integers or sample.distinct < _FEW:
        return None
    if sample.hinted("free text") and sample.mean_words >= 2.5 and sample.variety > 0.3:
        return Opinion("free text", "the name says a free text and the values look like it")
    if sample.mean_words >= 6 and sample.variety > 0.5:
        return Opinion("free text", f"texts of {sample.mean_words:.0f} words on average, mostly different")
    if sample.mean_words >= 2 and sample.variety > 0.9 and sample.share(_NUMBERED) < 0.5:
        return Opinion("free text", "texts of several words, nearly all different")
    return None


def _code(sample: Sample) -> Opinion | None:
    if sample.distinct < _SOME or sample.variety < 0.95:
        return None
    check = next((name for name in THINGS if valid(name, sample.compact) >= 0.95), "")
    if check:
        return Opinion("code", f"nearly all values differ and have valid check digits ({check})", check=check)
    if sample.integers or sample.share(_MEASURED) >= 0.9:
        return None
    return Opinion("code", f"{_percent(sample.variety)} of the values differ")


JUDGES: tuple[Callable[[Sample], Opinion | None], ...] = (
    _by_pattern("email", _MAIL, "an e-mail address"),
    _by_pattern("url", _WEB, "a web address"),
    _by_pattern("uuid", _UUID, "a UUID"),
    _by_pattern("mac address", _MAC, "a network card's address"),
    _ip,
    _account,
    _card,
    _identity,
    _phone,
    _company,
    _person,
    _place,
    _user,
    _text,
    _code,
)
"""All judges in order. The first that finds its shape decides."""
