"""Laws of made-up values, for every shape."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FormatError
from pipeline.personal import Fake, Recognition
from pipeline.personal.checksums import valid
from pipeline.personal.folding import Words, fold

SHAPES = [
    "email",
    "phone",
    "person",
    "first name",
    "last name",
    "company",
    "user name",
    "address",
    "iban",
    "card",
    "ip",
    "mac address",
    "url",
    "national id",
    "uuid",
    "free text",
    "code",
]
ONE_TO_ONE = ["email", "phone", "user name", "iban", "card", "ip", "mac address", "url", "national id", "uuid", "code"]
FAKER = {
    "email": "email",
    "phone": "phone_number",
    "person": "name",
    "first name": "first_name",
    "last name": "last_name",
    "company": "company",
    "user name": "user_name",
    "address": "address",
    "iban": "iban",
    "card": "credit_card_number",
    "ip": "ipv4",
    "mac address": "mac_address",
    "url": "uri",
    "national id": "ssn",
    "uuid": "uuid4",
    "free text": "sentence",
    "code": "license_plate",
}
LOCALES = {"de": "de_DE", "en": "en_US", "fr": "fr_FR", "es": "es_ES", "it": "it_IT"}


def real(shape, language, rows=600):
    """Values of a shape as Faker makes them."""
    faker = Faker(LOCALES[language])
    faker.seed_instance(7)
    return [getattr(faker, FAKER[shape])() for _ in range(rows)]


def fitted(texts, shape, language="en", least_rows=5, check=""):
    """The fake of a column whose shape is known."""
    recognition = Recognition(shape=shape, reason="test", language=language, check=check)
    return Fake.fit(pa.array(texts, pa.string()), recognition, least_rows)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("language", LOCALES)
def test_no_made_up_value_is_a_real_one(shape, language):
    """Not one of 5,000 made-up values is among the real ones, whatever their case."""
    texts = real(shape, language)
    made = fitted(texts, shape, language).make(np.arange(5_000), 1).to_pylist()
    assert not {text.lower() for text in made} & {text.lower() for text in texts}
    if shape in ONE_TO_ONE:
        assert len(set(made)) == 5_000


@pytest.mark.parametrize("shape", SHAPES)
@given(
    texts=st.lists(st.text(max_size=12) | st.text("ab0 .-@", max_size=6), max_size=40),
    repeats=st.integers(1, 6),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=8)
def test_no_made_up_value_is_in_any_list_of_strings(shape, texts, repeats, seed):
    """For any list of strings, no made-up value is in it, and rows differ if they must."""
    fake = fitted(texts * repeats, shape, least_rows=3)
    made = fake.make(np.arange(400), seed).to_pylist()
    assert not set(made) & set(texts)
    assert len(made) == 400
    if shape in ONE_TO_ONE:
        assert len(set(made)) == 400


@pytest.mark.parametrize("shape", SHAPES)
def test_a_value_follows_from_state_seed_and_index(shape):
    """A saved and loaded fake makes the same values, in any order; another seed makes others."""
    fake = fitted(real(shape, "de"), shape, "de")
    again = Fake.load(json.loads(json.dumps(fake.state())))
    made = fake.make(np.arange(300), 4)
    assert again.make(np.arange(300), 4).equals(made)
    assert again.make(np.array([250, 3, 3]), 4).to_pylist() == [made[250].as_py(), made[3].as_py(), made[3].as_py()]
    assert not fake.make(np.arange(300), 5).equals(made)


@pytest.mark.parametrize("shape", ["person", "first name", "last name", "email", "user name", "address", "company"])
def test_pools_have_no_real_word(shape):
    """No word of a real value is in a pool, not even as the beginning of one."""
    texts = real(shape, "fr")
    state = fitted(texts, shape, "fr").state()["maker"]
    words = Words(pa.array(texts, pa.string()))
    pools = [word for name in ("first", "last") for word in state.get(name, ())]
    assert not [word for word in pools if words.begins(fold(word))]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_state_quotes_no_real_value(shape):
    """Real values of few rows appear nowhere in the saved state."""
    texts = [text for text in real(shape, "es") if len(text) > 5]
    saved = json.dumps(fitted(texts, shape, "es").state(), ensure_ascii=False).lower()
    assert not [text for text in set(texts) if texts.count(text) < 5 and text.lower() in saved]


@pytest.mark.parametrize("shape", SHAPES)
def test_columns_of_no_or_few_values_have_fakes_too(shape):
    """Without enough rows to learn from, the usual form of the shape is made."""
    assert len(fitted([], shape).make(np.arange(5), 0)) == 5
    assert len(set(fitted(real(shape, "en", 3), shape).make(np.arange(50), 0).to_pylist())) > 10


def test_mail_goes_to_reserved_domains_only():
    """Made-up addresses and pages lie in domains that nobody can own."""
    for shape in ("email", "url"):
        made = fitted(real(shape, "de"), shape, "de").make(np.arange(500), 0).to_pylist()
        assert all(re.search(r"(@|//|\.)example\.(com|org|net)(/|$)", text) for text in made)


@pytest.mark.parametrize(
    ("real", "form"),
    [
        ("https://shop.mill.de/p/{n}", r"https://example\.\w{3}/[a-z]+-[a-z]+/\d{4}"),
        ("http://www.mill.de/{n}?id={n}", r"http://www\.[a-z]+-[a-z]+\.example\.\w{3}/\d{4}\?id=\d{4}"),
        ("ftp://cdn.mill.de/a/b/{n}.jpg", r"ftp://example\.\w{3}/[a-z]+/[a-z]+/\d{4}\.jpg"),
    ],
)
def test_pages_keep_their_form(real, form):
    """Scheme, depth, numbers, endings and keys stay; words and numbers are made up, and pages differ."""
    texts = [real.format(n=n) for n in range(1_000, 1_600)]
    made = fitted(texts, "url").make(np.arange(2_000), 0).to_pylist()
    assert all(re.fullmatch(form, text) for text in made)
    assert len(set(made)) == 2_000


def test_names_keep_their_format():
    """Last name first, capitals and titles come out as they went in."""
    faker = Faker("de_DE")
    faker.seed_instance(1)
    texts = [f"{faker.last_name()}, Dr. {faker.first_name()}".upper() for _ in range(300)]
    made = fitted(texts, "person", "de").make(np.arange(300), 0).to_pylist()
    assert all(re.fullmatch(r"[A-ZÄÖÜß]+, DR\. [A-ZÄÖÜßÉÈ]+", text) for text in made)


def test_addresses_keep_their_order():
    """German addresses end with postcode and place, British-style ones begin with the number."""
    german = [f"{name}straße {n % 90 + 1}, {10000 + n} Ort{name}" for n, name in enumerate(["Alt", "Neu", "Berg"] * 50)]
    made = fitted(german, "address", "de").make(np.arange(200), 0).to_pylist()
    assert all(re.fullmatch(r"\w[\w-]* \d+, \d{5} \w+", text) for text in made)
    english = [f"{n} {name} Street" for n, name in enumerate(["Alpha", "Beta", "Gamma"] * 50)]
    made = fitted(english, "address", "en").make(np.arange(200), 0).to_pylist()
    assert all(re.fullmatch(r"\d+ \w+ (Street|Road|Avenue|Lane|Drive)", text) for text in made)


def test_texts_are_about_as_long_as_real_ones():
    """The mean number of words differs by less than a fifth."""
    random = np.random.default_rng(3)
    texts = [" ".join(["wort"] * n) for n in random.integers(4, 40, 800)]
    made = fitted(texts, "free text", "de").make(np.arange(3000), 0).to_pylist()
    means = [np.mean([len(text.split()) for text in each]) for each in (texts, made)]
    assert abs(means[1] / means[0] - 1) < 0.2


@pytest.mark.parametrize("language", LOCALES)
def test_account_numbers_are_valid_and_of_the_same_countries(language):
    """Check digits are right, and countries and lengths are real ones."""
    texts = real("iban", language)
    made = fitted(texts, "iban").make(np.arange(1000), 0).to_pylist()
    assert valid("iban", made) == 1.0
    assert {(text[:2], len(text)) for text in made} == {(text[:2], len(text)) for text in texts}


def test_private_networks_stay_private():
    """Addresses of a private network are made in it, in blocks without a real one."""
    texts = [f"10.1.{n % 7}.{n % 250}" for n in range(500)]
    made = fitted(texts, "ip").make(np.arange(500), 0).to_pylist()
    assert all(text.startswith("10.") for text in made)
    assert not {text.rpartition(".")[0] for text in made} & {text.rpartition(".")[0] for text in texts}


@pytest.mark.parametrize(
    ("shape", "path", "value"),
    [
        ("person", ("first",), 3),
        ("person", ("templates", 0, "text"), "<secret>"),
        ("email", ("last",), []),
        ("code", ("layouts", "layouts", 0, "room", "bitmap"), "AAAA"),
        ("code", ("layouts", "layouts", 0, "alphabets"), ["ab"]),
        ("phone", ("layouts", "layouts", 0, "room", "stretches"), [[-4, 9]]),
        ("free text", ("kind",), "unknown"),
    ],
)
def test_a_damaged_state_is_refused_in_one_line(shape, path, value):
    """A state with a foreign or impossible field raises FormatError, which does not quote it."""
    state = fitted([f"AB{n * 37:05d} x" for n in range(200)], shape).state()
    place = state["maker"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(FormatError, match="damaged") as caught:
        Fake.load(state)
    assert "\n" not in str(caught.value)
    assert str(value) not in str(caught.value)


def test_many_more_rows_than_real_ones_keep_the_shape():
    """A hundred thousand phone numbers come from twenty real ones, all of their layout."""
    made = fitted([f"+49 170 {n * 7919 % 10**7:07d}" for n in range(20)], "phone").make(np.arange(100_000), 0)
    assert len(made.unique()) == 100_000
    assert pa.compute.all(pa.compute.match_substring_regex(made, r"^\+49 \d{3} \d{7}$")).as_py()
