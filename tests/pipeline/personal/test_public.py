"""Public vocabularies are told from labels that only look like them."""

import pyarrow as pa
import pytest

from pipeline.personal import is_public, public_vocabulary


@pytest.mark.parametrize(
    ("labels", "vocabulary"),
    [
        (["DE", "AT", "CH"], "country codes of two letters"),
        (["DEU", "FRA", "HKG"], "country codes of three letters"),
        (["Germany", "France", "USA"], "country names"),
        (["Allemagne", "Italie", "ESPAGNE"], "country names"),
        (["Österreich", "osterreich"], "country names"),
        (["de", "en", "fr"], "language codes"),
        (["German", "French"], "language names"),
        (["EUR", "USD", "CHF"], "currency codes"),
        (["CA", "NY", "TX"], "state codes of the USA"),
        (["Texas", "Ohio"], "states of the USA"),
        (["Montag", "Dienstag"], "weekdays"),
        (["janvier", "février"], "months"),
        (["yes", "no"], "yes and no"),
        (["M", "F"], "sexes"),
        (["AB", "CD"], None),
        (["AL", "PA"], None),
        (["OK", "NO", "UNK"], None),
        (["De", "aT"], None),
        (["Germany", "Anna Schmidt"], None),
        (["A", "B", "C"], None),
        ([], None),
    ],
)
def test_columns_of_public_labels(labels, vocabulary):
    """A column's vocabulary is found, and accidents of two letters are not taken for one."""
    assert public_vocabulary(pa.array(labels, pa.string())) == vocabulary


def test_one_label_in_twenty_may_be_another():
    """A column passes with one foreign label among 20, not with two."""
    codes = ["".join(pair) for pair in zip("DACFIENBPCDSNFPGHRB", "ETHRTSLELZKEOITRUOG", strict=True)]
    assert public_vocabulary(pa.array([*codes, "??"])) == "country codes of two letters"
    assert public_vocabulary(pa.array([*codes[:18], "??", "!!"])) is None


def test_labels_are_told_one_by_one():
    """Each label is looked up on its own."""
    assert is_public(pa.array(["Spain", "spain", "ES", "Es", "Anna", ""])).tolist() == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
