"""Made-up customers of a shop, in German and in Spanish."""

import numpy as np
import pyarrow as pa

PEOPLE = {
    "de": (
        ["Anneliese", "Björn", "Cornelia", "Dieter", "Edeltraud", "Friedhelm", "Gesine", "Heinz", "Ingeborg", "Jürgen"],
        ["Achterberg", "Brüggemann", "Czerny", "Dörfler", "Eickhoff", "Fürstenau", "Großkopf", "Hülsmann", "Jeschke"],
        ["Lindenallee", "Am Mühlbach", "Goethestraße", "Hinterm Deich", "Kirchgasse"],
        "{} hat wegen der Rechnung {} angerufen und bittet um Rückruf unter {}",
    ),
    "es": (
        [
            "Almudena",
            "Bartolomé",
            "Consuelo",
            "Desiderio",
            "Encarnación",
            "Fermín",
            "Graciela",
            "Hilario",
            "Inmaculada",
        ],
        ["Aguirrezabala", "Bermúdez", "Cifuentes", "Domínguez", "Echeverría", "Figueroa", "Galdeano", "Hinojosa"],
        ["Calle Mayor", "Avenida de la Paz", "Plaza del Sol", "Paseo Marítimo", "Calle de Alcalá"],
        "{} llamó por la factura {} y pide que le devuelvan la llamada al {}",
    ),
}
HEADS = {
    "de": ["Kundennummer", "Name", "E-Mail", "Telefon", "Anschrift", "Bemerkung", "Geburtsdatum", "Umsatz", "Land"],
    "es": ["id_cliente", "nombre", "correo", "teléfono", "dirección", "notas", "fecha_nacimiento", "gasto", "país"],
}
PERSONAL = 6
"""Columns at the beginning that say who a person is."""


def customers(language: str, rows: int, seed: int = 0) -> pa.Table:
    """Orders of customers. Customers occur several times, and spending depends on the country."""
    random = np.random.default_rng(seed)
    first, last, streets, note = PEOPLE[language]
    people = max(rows // 2, 1)
    name = [f"{random.choice(first)} {random.choice(last)}-{random.choice(last)}" for _ in range(people)]
    phone = [f"+49 {random.integers(150, 180)} {random.integers(10**6, 10**7)}" for _ in range(people)]
    mail = [f"{n.lower().replace(' ', '.')}{i}@posteo.net" for i, n in enumerate(name)]
    home = [f"{random.choice(streets)} {random.integers(1, 200)}" for _ in range(people)]
    who = random.integers(0, people, rows)
    country = random.choice(["DE", "ES", "AT", "LI"], rows, p=[0.6, 0.3, 0.099, 0.001])
    born = np.datetime64("1940-01-01") + random.integers(0, 24_000, people).astype("timedelta64[D]")
    columns = [
        pa.array(random.integers(10**11, 10**12, people)[who]),
        pa.array([name[i] for i in who]),
        pa.array([mail[i] if random.random() < 0.9 else None for i in who]),
        pa.array([phone[i] for i in who]),
        pa.array([home[i] for i in who]),
        pa.array([note.format(name[i], 10**6 + j, phone[i]) for j, i in enumerate(who)]),
        pa.array(born[who]),
        pa.array(np.round(random.lognormal(4, 1, rows) * np.where(country == "DE", 1, 2), 2)),
        pa.array(country),
    ]
    return pa.table(dict(zip(HEADS[language], columns, strict=True)))


def secrets(table: pa.Table) -> set[str]:
    """Texts that must occur nowhere: every value of the personal columns, and the parts that identify a person."""
    found: set[str] = set()
    for name in table.column_names[:PERSONAL]:
        found |= {str(value) for value in table[name].to_pylist() if value is not None}
    return {value for value in found if len(value) >= 8}  # shorter ones occur by chance


def leaked(hidden: set[str], text: str) -> list[str]:
    """Which of the secrets are in a text, found by their first eight bytes."""
    data = np.frombuffer(text.encode() + bytes(8), np.uint8)
    starts = np.lib.stride_tricks.sliding_window_view(data, 8).copy().view(np.uint64).ravel()
    first = np.unique(np.frombuffer(b"".join(secret.encode()[:8] for secret in hidden), np.uint64))
    places = np.flatnonzero(np.isin(starts, first))
    whole = data.tobytes()
    by_start: dict[bytes, list[bytes]] = {}
    for secret in hidden:
        by_start.setdefault(secret.encode()[:8], []).append(secret.encode())
    found = (
        secret for place in places for secret in by_start[whole[place : place + 8]] if whole.startswith(secret, place)
    )
    return [secret.decode() for secret in dict.fromkeys(found)]
