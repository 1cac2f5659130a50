"""Columns that identify people are told from those that do not, by values and names in several languages."""

import numpy as np
import pyarrow as pa
import pytest
from faker import Faker

from pipeline.personal import recognise
from pipeline.personal.names import hint, words_of

ROWS = 600
FAKERS = {}
for _locale in ("de_DE", "en_US", "en_GB", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL"):
    FAKERS[_locale[:2] if _locale != "en_GB" else "gb"] = Faker(_locale)


def made(language, what, rows=ROWS, **arguments):
    """Texts of a sort in a language."""
    faker = FAKERS[language]
    faker.seed_instance(11)
    return [str(getattr(faker, what)(**arguments)).replace("\n", ", ") for _ in range(rows)]


def repeated(*labels):
    """A few labels, many times."""
    return np.random.default_rng(5).choice(labels, ROWS).tolist()


def numbers(text, *ranges):
    """Texts with random numbers in them."""
    random = np.random.default_rng(6)
    return [text.format(*(int(random.integers(*each)) for each in ranges)) for _ in range(ROWS)]


COLUMNS = [
    ("customer_name", made("en", "name"), "person"),
    ("Kundenname", made("de", "name"), "person"),
    ("prenom_nom", made("fr", "name"), "person"),
    ("nombreCompleto", made("es", "name"), "person"),
    ("nominativo", made("it", "name"), "person"),
    ("naam", made("nl", "name"), "person"),
    ("name", made("de", "name"), "person"),
    ("column7", made("fr", "name"), "person"),
    ("manager_name", repeated(*made("en", "name", 6)), "person"),
    ("conseiller", repeated(*made("fr", "name", 12)), "person"),
    ("consulente", repeated(*made("it", "name", 12)), "person"),
    ("seller", repeated("Dr. Anna Schmidt", "Thomas Weber", "Dr. med. Julia Fischer"), "person"),
    ("Vorname", made("de", "first_name"), "first name"),
    ("nom", made("fr", "last_name"), "last name"),
    ("prénom", made("fr", "first_name"), "first name"),
    ("nome", made("it", "first_name"), "first name"),
    ("imię", made("pl", "first_name"), "first name"),
    ("apellidos", made("es", "last_name"), "last name"),
    ("cognome", made("it", "last_name"), "last name"),
    ("Nachname", made("de", "last_name"), "last name"),
    ("LastName", made("en", "last_name"), "last name"),
    ("E-Mail", made("de", "email"), "email"),
    ("courriel", made("fr", "email"), "email"),
    ("x", made("it", "email"), "email"),
    ("Handynr", made("de", "phone_number"), "phone"),
    ("téléphone", made("fr", "phone_number"), "phone"),
    ("Kundentelefonnummer", made("de", "phone_number"), "phone"),
    ("x", numbers("+49 {} {}", (150, 180), (10**6, 10**7)), "phone"),
    ("x", numbers("({}) {}-{}", (200, 999), (200, 999), (1000, 9999)), "phone"),
    ("indirizzo", made("it", "address"), "address"),
    ("Straße", made("de", "street_address"), "address"),
    ("direccion", made("es", "street_address"), "address"),
    ("x", made("fr", "street_address"), "address"),
    ("Bemerkung", made("de", "sentence", nb_words=9), "free text"),
    ("commentaire", made("fr", "sentence", nb_words=9), "free text"),
    ("x", made("en", "sentence", nb_words=14), "free text"),
    ("codice_fiscale", made("it", "ssn"), "national id"),
    ("x", made("it", "ssn"), "national id"),
    ("x", made("es", "nif"), "national id"),
    ("insee", made("fr", "ssn"), "national id"),
    ("ssn", made("en", "ssn"), "national id"),
    ("nino", made("gb", "ssn"), "national id"),
    ("Kontonummer", made("de", "iban"), "iban"),
    ("x", made("en", "credit_card_number"), "card"),
    ("x", made("en", "ipv4"), "ip"),
    ("x", made("en", "ipv6"), "ip"),
    ("x", made("en", "mac_address"), "mac address"),
    ("x", made("en", "uuid4"), "uuid"),
    ("website", made("en", "url"), "url"),
    ("username", made("en", "user_name"), "user name"),
    ("Firma", made("de", "company"), "company"),
    ("order", [f"AB-{n:06d}" for n in range(ROWS)], "code"),
    ("name", repeated("Basic Plan", "Gold Plan", "Trial", "Premium", "Free"), None),
    ("name", repeated("Rose Bush", "Jasmin Tea", "Iris Blue", "Violet Mix", "Oak"), None),
    ("team", repeated("Real Madrid", "Bayern München", "Manchester City", "Juventus Turin"), None),
    ("place", repeated("Virginia Beach", "San Antonio", "Saint Paul", "Charlotte Bay", "Fort Wayne"), None),
    ("product_name", repeated("Red Chair", "Oak Table", "Desk Lamp"), None),
    ("address", repeated("home", "work", "other"), None),
    ("phone_type", repeated("home", "mobile"), None),
    ("email_verified", repeated("true", "false"), None),
    ("state", repeated("California", "Texas", "Ohio"), None),
    ("status", repeated("active", "closed"), None),
    ("country_name", repeated("Germany", "France", "Spain"), None),
    ("city", repeated(*made("en", "city", 60)), None),
    ("Ort", repeated(*made("de", "city", 60)), None),
    ("Bemerkung", repeated("ok", "siehe oben", "Rückruf erbeten"), None),
    ("ordered", numbers("{:04d}-{:02d}-{:02d}", (2000, 2024), (1, 13), (1, 29)), None),
    ("at", numbers("{:02d}:{:02d}:{:02d}", (0, 24), (0, 60), (0, 60)), None),
    ("latitude", numbers("{}.{:06d}", (40, 55), (0, 10**6)), None),
    ("version", numbers("{}.{}.{}.{}", *[(0, 4)] * 4), None),
    ("empty", [], None),
    ("blank", ["", " ", "n/a"] * 20, None),
]


@pytest.mark.parametrize(
    ("name", "values", "shape"), COLUMNS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_columns(name, values, shape):
    """Each column is taken for what it is."""
    found = recognise(name, pa.array(values, pa.string()))
    assert (found.shape if found else None) == shape, found


@pytest.mark.parametrize(
    ("name", "shape"), [("phone", "phone"), ("steuer_id", "national id"), ("amount", None), ("customer_id", None)]
)
def test_integers_need_a_name(name, shape):
    """Numbers count as telephone or identity numbers only if the name says so."""
    found = recognise(name, pa.array([49_151_123_456 + 7919 * n for n in range(300)]))
    assert (found.shape if found else None) == shape


@pytest.mark.parametrize("language", ["de", "en", "fr", "es", "it", "nl", "pl"])
def test_the_language_of_names_is_found(language):
    """If the column's name gives no language, the names in it do."""
    assert recognise("x", pa.array(made(language, "name"))).language == language


def test_reasons_are_in_words_and_quote_no_value():
    """A reason says how many values have the shape."""
    found = recognise("x", pa.array([f"person{n}@firm{n}.example" for n in range(40)]))
    assert found.reason == "100 % of the values have the shape of an e-mail address"


@pytest.mark.parametrize(
    ("name", "words"),
    [("customerEMail_1", ["customer", "e", "mail"]), ("Straße-Nr", ["strasse", "nr"]), ("PRÉNOM", ["prenom"])],
)
def test_names_are_taken_apart(name, words):
    """Signs, digits and capitals part words; accents and case do not matter."""
    assert words_of(name) == words


@pytest.mark.parametrize("name", ["file_name", "city_name", "ProductName", "nom_produit", "id", "amount"])
def test_names_of_things_hint_at_nobody(name):
    """A name of a thing says nothing about persons."""
    assert hint(name) is None
