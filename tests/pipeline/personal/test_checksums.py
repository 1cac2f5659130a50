"""Check characters, against published examples and formulas written another way."""

import numpy as np
import pytest

from pipeline.personal.checksums import CHECKS, matrix, valid

EXAMPLES = {
    "card": ["4111111111111111", "5500000000000004", "378282246310005", "6011000990139424"],
    "iban": ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606", "NO9386011117947"],
    "Steuer-ID": ["86095742719", "47036892816", "65929970489"],
    "Versicherungsnummer": ["15070649C103"],
    "NIR": ["255081416802538", "269054958815780"],
    "DNI": ["12345678Z", "X1234567L", "Y1234567X", "Z1234567R"],
    "codice fiscale": ["RSSMRA85T10A562S", "MRTMTT91D08F205J"],
    "PESEL": ["44051401359", "02070803628"],
    "NIF": ["123456789", "501964843"],
    "EAN": ["4006381333931", "73513537", "036000291452", "9780306406157"],
    "ISBN": ["0306406152", "080442957X"],
    "Luhn": ["79927398713", "490154203237518"],
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_published_examples_are_valid(name):
    """Numbers from the standards and offices carry the check characters that we compute."""
    assert valid(name, EXAMPLES[name]) == 1.0


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_changed_check_character_is_noticed(name):
    """Another check character makes a number invalid."""
    place = CHECKS[name].places[-1] % len(EXAMPLES[name][0])
    for text in EXAMPLES[name]:
        at = place if name == "iban" else len(text) - 1
        other = ("B" if text[at] == "A" else "A") if text[at].isalpha() else str((int(text[at]) + 1) % 10)
        assert valid(name, [text[:at] + other + text[at + 1 :]]) == 0.0


def test_completed_accounts_leave_a_rest_of_one_by_97():
    """The completed IBAN, moved and read as one integer, is 1 modulo 97."""
    random = np.random.default_rng(1)
    letters = np.array(list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    texts = ["GB00" + "".join(random.choice(letters, 18)) for _ in range(300)]
    points = CHECKS["iban"].written(matrix(texts, 22))
    for row in points:
        text = "".join(map(chr, row))
        assert int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def test_completed_cards_pass_the_table_form_of_luhn():
    """Doubling by table gives sums that are multiples of ten."""
    random = np.random.default_rng(2)
    points = CHECKS["card"].written(matrix(["".join(map(str, random.integers(0, 10, 16))) for _ in range(300)], 16))
    double = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    for row in points:
        digits = [int(chr(c)) for c in row]
        assert (sum(digits[1::2]) + sum(double[d] for d in digits[::2])) % 10 == 0
