"""Made-up values that the settings choose: shapes in their usual format, and values of Faker's providers."""

import json
import re
import string

import numpy as np
import pyarrow as pa
import pytest
from faker import Faker

from pipeline import personal
from pipeline.errors import FormatError, SchemaError, SettingsError
from pipeline.personal import Fake, Provider, Recognition, Words
from pipeline.personal.checksums import valid
from pipeline.personal.folding import fold

ROWS = 10_000
NUMBERS = [f"EMP-{number:05d}" for number in range(800)]
"""Employee numbers, which have the format of no person's data."""
WORDS = ["berg", "hof", "stein", "mann", "feld", "bach", "wald"]
WORD = r"[^\W\d_]+"
USUAL = {
    "email": r"[a-z]+\.[a-z]+\d*@example\.(com|org|net)",
    "phone": r"\+1 [1-9]\d\d \d{7}",
    "person": rf"{WORD} {WORD}",
    "first name": WORD,
    "last name": WORD,
    "company": rf"{WORD} {WORD}",
    "user name": r"[a-z]+\d*",
    "address": rf"\d+ {WORD} (Street|Road|Avenue|Lane|Drive), {WORD}",
    "iban": r"DE\d{20}",
    "card": r"4\d{15}",
    "ip": r"\d{1,3}(\.\d{1,3}){3}",
    "mac address": r"[0-9a-f]{2}(:[0-9a-f]{2}){5}",
    "url": r"https://www\.example\.(com|org|net)/[a-z]+-[a-z]+\d*",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}",
    "free text": rf"{WORD}( {WORD}\.?){{3,11}}",
}


def made(texts, fake, locale=None, rows=ROWS, besides=None, arrow=None):
    """Made-up values beside real ones, of a column whose name says nothing."""
    values = pa.array(texts, arrow or pa.string())
    return Fake.fit(values, personal.look(fake, locale, "x", values), 5, besides).make(np.arange(rows), 1).to_pylist()


def folds(texts):
    """Texts in lower case and without accents."""
    return {fold(text.strip()) for text in texts}


@pytest.mark.parametrize("shape", USUAL)
def test_columns_of_another_shape_get_the_usual_format(shape):
    """Made-up values beside employee numbers look like the shape, nothing like the numbers, and are no real ones."""
    texts = made(NUMBERS, shape)
    assert [text for text in texts if not re.fullmatch(USUAL[shape], text)] == []
    assert not folds(texts) & folds(NUMBERS)


def test_usual_numbers_have_valid_check_digits():
    """Accounts and cards are valid by the independent references of Faker's own numbers."""
    for shape in ("iban", "card"):
        assert valid(shape, made(NUMBERS, shape, rows=500)) == 1.0


@pytest.mark.parametrize("texts", [[f"{n * 7919 % 10**7:07d}" for n in range(500)], ["5550100", "5550199"] * 50])
def test_the_settings_count_as_a_name_that_is_sure(texts):
    """Seven digits are telephone numbers once the settings say so, and keep their length."""
    assert personal.look("phone", None, "x", pa.array(texts)).usual is (len(set(texts)) < 3)
    if len(set(texts)) > 3:
        assert all(re.fullmatch(r"\d{7}", text) for text in made(texts, "phone", rows=500))


def test_real_values_of_the_shape_keep_their_format():
    """E-mail addresses of one format stay so."""
    texts = [f"{chr(97 + n % 26)}.{WORDS[n % 3]}{WORDS[n % 7]}@mill.de" for n in range(400)]
    assert all(re.fullmatch(r"[a-z]\.[a-z]+@example\.\w{3}", text) for text in made(texts, "email", "de_DE", 400))


@pytest.mark.parametrize(("locale", "other"), [("de_DE", "es_ES"), ("es_ES", "de_DE")])
def test_names_are_of_the_language_of_the_locale(locale, other):
    """First names come from Faker's list of the language, which is long enough, and few are in that of another."""
    lists = {}
    for each in (locale, other):
        provider = next(p for p in Faker(each).factories[0].get_providers() if "providers.person" in type(p).__module__)
        lists[each] = {fold(name) for name in provider.first_names}
    texts = folds(made(NUMBERS, "first name", locale))
    shares = {each: len(texts & names) / len(texts) for each, names in lists.items()}
    assert shares[locale] > 0.99
    assert shares[other] < 0.3


@pytest.mark.parametrize("provider", ["job", "license_plate", "color_name", "bs", "name_female"])
def test_values_of_a_provider_are_no_real_ones(provider):
    """Half of Faker's own values are real: none of them is made up, in any case, and all that are made are Faker's."""
    faker = Faker("de_DE")
    faker.seed_instance(5)
    every = sorted({getattr(faker, provider)() for _ in range(20_000)})
    real = [text.upper() + " " for text in every[::2]]
    texts = made(real * 3, provider, "de_DE")
    assert not folds(texts) & folds(real)
    if len(every) < 2_000:
        assert set(texts) <= set(every)
        assert 0.3 < len(set(texts)) / len(every[1::2]) < 0.7  # about half of what is free


def test_no_value_has_a_word_of_a_real_name():
    """Names of persons in other columns are no part of a provider's values."""
    faker = Faker("en_US")
    faker.seed_instance(6)
    names = [faker.first_name() for _ in range(300)]
    texts = made(NUMBERS, "name_male", besides=Words(pa.array(names)))
    words = {fold(word) for text in texts for word in re.findall(WORD, text)}
    assert len(words) > 100
    assert not words & folds(names)


def test_every_value_of_a_provider_comes_once_before_one_repeats():
    """As many rows as there are values have values of their own, and later ones come in another order."""
    values = pa.array(NUMBERS)
    fake = Fake.fit(values, Provider(name="job"))
    texts = fake.make(np.arange(2 * fake.room), 0).to_pylist()
    first, second = texts[: fake.room], texts[fake.room :]
    assert len(set(first)) == len(set(second)) == fake.room > 100
    assert first != second


def test_a_loaded_fake_makes_the_same_values_and_a_damaged_one_is_refused():
    """Values come back in any order of rows; repeated or missing values are refused without quoting one."""
    fake = Fake.fit(pa.array(NUMBERS), Provider(name="job"))
    state = json.loads(json.dumps(fake.state()))
    again = Fake.load(state).make(np.array([70, 3]), 2).to_pylist()
    whole = fake.make(np.arange(100), 2).to_pylist()
    assert again == [whole[70], whole[3]]
    for values in ([], ["a", "a"], [1], "abc"):
        with pytest.raises(FormatError, match="damaged"):
            Fake.load({"maker": {**state["maker"], "values": values}})


def test_a_column_of_all_values_is_refused_without_quoting_one():
    """No day of the week is left that is not real."""
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    with pytest.raises(SchemaError, match=r"none among the 7 that Faker's 'day_of_week' makes") as caught:
        made(days, "day_of_week")
    assert not any(day in str(caught.value) for day in days)


@pytest.mark.parametrize(
    ("arrow", "fake", "form"),
    [
        (pa.int64(), "phone", r"[1-9]\d{10}"),
        (pa.int64(), "card", r"4\d{15}"),
        (pa.int32(), "phone", r"[1-9]\d{8}"),
        (pa.int32(), "national id", r"[1-9]\d{8}"),
        (pa.uint64(), "card", r"4\d{15}"),
        (pa.int16(), "code", r"[1-9]\d{0,3}"),
    ],
)
def test_integers_are_written_in_digits_that_fit(arrow, fake, form):
    """Made-up integers have the usual number of digits, or as many as always fit, and are no real ones."""
    texts = made(range(100), fake, arrow=arrow)
    assert all(re.fullmatch(form, text) for text in texts)
    assert pa.array(texts).cast(arrow).null_count == 0
    assert not set(map(int, texts)) & set(range(100))


def test_codes_of_numbers_that_nearly_fill_their_type_never_overflow():
    """Nine digits are the most that fit into 32 bits: no made-up code of ten begins with 3 or more."""
    numbers = range(2_000_000_000, 2_147_000_000, 1_000_003)
    texts = made(numbers, "code", arrow=pa.int32())
    assert pa.array(texts).cast(pa.int32()).null_count == 0
    full = Recognition(shape="code", reason="")
    with pytest.raises(SchemaError, match="at most 2 digits"):
        Fake.fit(pa.array(range(100), pa.int8()), full)


@pytest.mark.parametrize(
    ("fake", "locale", "message"),
    [
        ("emial", None, "got 'emial'; near it: 'email'"),
        ("licence_plate", "de_DE", "provider of Faker in de_DE.*near it: 'license_plate'"),
        ("seed_instance", None, "got 'seed_instance'"),
        ("__class__", None, "got '__class__'"),
        ("pyint", None, "makes texts, 'pyint' makes values of type int"),
        ("enum", None, "no arguments, 'enum' cannot be called"),
        ("email", "ja_JP", "locale of de, en, fr, es, it, nl, pt, pl for e-mail addresses, got 'ja_JP'"),
        ("email", "de_XX", "locale of Faker .*got 'de_XX'; near it: .*'de_"),
        ("job", "de-DE", "locale of Faker .*got 'de-DE'; near it: 'de_DE'"),
        ("job\n" + string.ascii_letters * 9, None, "expected made-up values of a shape"),
    ],
)
def test_what_nobody_can_make_up_is_refused_in_one_line(fake, locale, message):
    """The line says what was expected, what came, and what is near it."""
    with pytest.raises(SettingsError, match=message) as caught:
        personal.check(fake, locale)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_providers_of_other_languages_are_those_of_faker():
    """A locale that no list of ours has serves Faker's providers."""
    personal.check("job", "ja_JP")
    assert all(re.search(r"[^\x00-\x7f]", text) for text in made(NUMBERS, "job", "ja_JP", 200))
