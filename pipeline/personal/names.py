"""What the name of a column says about its values, in eight languages.

A name is split at signs, digits and capitals, and folded: `customerEMail_1` becomes customer, email. Each word is
looked up alone and joined with its neighbours, so `first_name`, `FirstName` and `firstname` are the same. German
compounds such as `Kundentelefonnummer` are recognised by their last part.
"""

import re
from typing import Literal, NamedTuple

from pipeline.personal.folding import fold
from pipeline.personal.pools import Language

Shape = Literal[
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


class Hint(NamedTuple):
    """What a column's name says.

    Attributes:
        shape: The expected shape of the values.
        language: The language of the word that says so; None for a word of several languages.
        sure: Whether the column's name alone is clear. Words such as `name` and `text` are not.
    """

    shape: Shape
    language: Language | None
    sure: bool = True


_WORDS: dict[Shape, dict[str, str]] = {
    "email": {
        "": "email mail emailaddress mailaddress",
        "de": "emailadresse mailadresse",
        "fr": "courriel adressemail adressemel mel",
        "es": "correo correoelectronico",
        "it": "posta postaelettronica indirizzoemail indirizzomail",
        "nl": "emailadres",
        "pt": "endereçoemail",
    },
    "phone": {
        "": "phone tel mobile fax",
        "en": "phonenumber telephone mobilephone cell cellphone cellnumber faxnumber phoneno telno mobileno "
        "mobilenumber contactnumber",
        "de": "telefon telefonnummer telefonnr telnr handy handynummer handynr mobil mobilnummer mobiltelefon "
        "rufnummer festnetz mobilnr faxnummer",
        "fr": "telephone portable numerotelephone telportable telephoneportable fixe",
        "es": "telefono movil celular telefonomovil numerotelefono",
        "it": "telefono cellulare cell numerotelefono numeroditelefono recapito",
        "nl": "telefoon telefoonnummer mobiel",
        "pt": "telefone telemovel celular",
        "pl": "telefon komorka numertelefonu",
    },
    "first name": {
        "en": "firstname givenname forename fname givennames firstnames middlename",
        "de": "vorname vornamen rufname",
        "fr": "prenom prenoms",
        "es": "primernombre nombrepila",
        "it": "nomeproprio",
        "nl": "voornaam",
        "pt": "primeironome",
        "pl": "imie",
    },
    "last name": {
        "en": "lastname surname familyname lname maidenname surnames",
        "de": "nachname familienname zuname geburtsname nachnamen",
        "fr": "nomfamille nomdefamille patronyme nomnaissance",
        "es": "apellido apellidos primerapellido segundoapellido",
        "it": "cognome",
        "nl": "achternaam",
        "pt": "sobrenome apelido",
        "pl": "nazwisko",
    },
    "person": {
        "en": "fullname customername clientname patientname contactname employeename personname displayname "
        "cardholder cardholdername ownername authorname membername guestname passengername studentname "
        "teachername accountholder beneficiary recipient recipientname sendername contactperson passenger "
        "nameoncard applicantname managername drivername doctorname holdername buyername sellername",
        "de": "kundenname patientenname mitarbeitername personenname ansprechpartner kontoinhaber inhaber empfanger "
        "kontaktperson versicherungsnehmer sachbearbeiter absender namen vollername vorundnachname gesamtname "
        "mitgliedsname schulername auftraggeber",
        "fr": "nomcomplet nomclient nomprenom prenomnom nomduclient nompatient titulaire beneficiaire destinataire "
        "nomsalarie nomcontact nomemploye interlocuteur",
        "es": "nombrecompleto nombrecliente nombreyapellidos nombreapellidos titular beneficiario destinatario "
        "nombrepaciente nombreempleado nombrecontacto",
        "it": "nomecompleto nomecliente nominativo intestatario beneficiario destinatario nomecognome nomeecognome "
        "cognomenome nomepaziente referente",
        "nl": "klantnaam volledigenaam naamklant",
        "pt": "nomecompleto nomecliente",
        "pl": "imienazwisko imieinazwisko",
    },
    "company": {
        "en": "company companyname employer organisation organization organizationname organisationname business "
        "businessname employername vendorname suppliername",
        "de": "firma firmenname unternehmen arbeitgeber lieferant lieferantenname",
        "fr": "entreprise societe raisonsociale employeur nomentreprise fournisseur",
        "es": "empresa razonsocial compania nombreempresa proveedor",
        "it": "azienda ragionesociale ditta impresa societa fornitore",
        "nl": "bedrijf bedrijfsnaam",
        "pt": "empresa",
        "pl": "firma",
    },
    "user name": {
        "en": "username login loginname userlogin handle nickname screenname useraccount",
        "de": "benutzername nutzername benutzer anmeldename",
        "fr": "pseudo pseudonyme identifiant nomutilisateur utilisateur",
        "es": "nombreusuario usuario",
        "it": "nomeutente utente",
        "nl": "gebruikersnaam",
        "pt": "usuario utilizador",
    },
    "address": {
        "en": "address street streetaddress addressline addr postaladdress homeaddress billingaddress shippingaddress "
        "deliveryaddress streetname mailingaddress fulladdress residence",
        "de": "adresse strasse anschrift strassehausnummer strassenname wohnadresse lieferadresse rechnungsadresse "
        "postanschrift str strassenr strassehausnr",
        "fr": "adresse rue adressepostale domicile voie adresselivraison adressefacturation",
        "es": "direccion calle domicilio direccionpostal direccionenvio",
        "it": "indirizzo via residenza domicilio indirizzoresidenza",
        "nl": "adres straat straatnaam",
        "pt": "endereco morada rua",
        "pl": "adres ulica",
    },
    "iban": {"": "iban", "de": "kontonummer bankverbindung"},
    "card": {
        "en": "cardnumber creditcard creditcardnumber ccnumber cardno pan creditcardno debitcard ccnum",
        "de": "kreditkarte kreditkartennummer kartennummer",
        "fr": "numerocarte cartebancaire cartecredit numerodecarte",
        "es": "numerotarjeta tarjeta tarjetacredito",
        "it": "numerocarta cartacredito cartadicredito",
    },
    "ip": {"": "ip ipaddress ipaddr ipv4 ipv6 clientip remoteip sourceip", "de": "ipadresse", "fr": "adresseip"},
    "mac address": {"": "mac macaddress macaddr"},
    "url": {"": "url uri link website homepage web", "de": "webseite", "fr": "siteweb", "es": "sitioweb paginaweb"},
    "national id": {
        "en": "ssn socialsecuritynumber socialsecurity nino nationalinsurancenumber nationalid nationalidnumber taxid "
        "passport passportnumber passportno driverslicense drivinglicence idnumber personalid nhsnumber idcard tin",
        "de": "steuerid steueridentifikationsnummer steuernummer idnr sozialversicherungsnummer svnr svnummer "
        "rentenversicherungsnummer versicherungsnummer ausweisnummer personalausweis reisepass reisepassnummer "
        "versichertennummer krankenversicherungsnummer passnummer fuhrerscheinnummer ustid",
        "fr": "insee nir numerosecu numerosecuritesociale secu securitesociale numeroinsee passeport",
        "es": "dni nie nif dninie numeroseguridadsocial seguridadsocial pasaporte documentoidentidad",
        "it": "codicefiscale codfiscale cf partitaiva passaporto cartaidentita",
        "nl": "bsn burgerservicenummer sofinummer",
        "pt": "cpf contribuinte numerocontribuinte",
        "pl": "pesel",
    },
    "uuid": {"": "uuid guid"},
    "free text": {
        "en": "note notes comment comments remark remarks description message feedback review text body memo summary "
        "freetext complaint narrative observation observations reason details anamnesis diagnosistext",
        "de": "bemerkung bemerkungen notiz notizen kommentar kommentare beschreibung nachricht anmerkung anmerkungen "
        "freitext hinweis hinweise bemerk grund beanstandung",
        "fr": "commentaire commentaires remarque remarques texte message motif avis",
        "es": "nota notas comentario comentarios observacion observaciones descripcion mensaje texto motivo",
        "it": "nota commento commenti osservazioni descrizione messaggio testo annotazioni motivo",
        "nl": "opmerking opmerkingen notitie notities toelichting omschrijving",
        "pt": "nota notas comentario observacao observacoes descricao mensagem",
        "pl": "uwagi uwaga notatka notatki opis komentarz",
    },
}
_NAMED = {"name": "en", "nom": "fr", "nombre": "es", "nome": "it", "naam": "nl", "names": "en", "noms": "fr"}
"""Words that mean a person's name if the values look like names."""
_PEOPLE_WORDS = (
    "applicant arzt assure author client cliente clients complet contact customer dipendente doctor driver "
    "empleado employee fahrer full gast guest holder klant klient kontakt kunde kunden kunder member mitarbeiter "
    "mitglied owner paciente pacjent passenger patient paziente person persona personal personne proprietaire "
    "salarie schuler student user versicherter vollstandiger "
)
_PEOPLE = frozenset(_PEOPLE_WORDS.split())

_THINGS_WORDS = (
    "abteilung app application archivo article articulo artikel bank branch brand campaign categorie category "
    "channel citta city ciudad class color colour column country county course currency database dataset datei "
    "day db department device disease district domain drug event feature feld fichier field file font function "
    "group gruppe hospital host item job kategorie key land language marke medication method metric model modell "
    "month package paese pais pays plan process prodotto product producto produit produkt project projekt projet "
    "province region role schema school segment sensor server service shop size spalte species stadt state "
    "station status store strasse street table tag task team test typ type variable version ville weekday "
)
_THINGS = frozenset(_THINGS_WORDS.split())

_ENDS: tuple[tuple[str, str], ...] = (
    ("telefonnummer", "phone"),
    ("handynummer", "phone"),
    ("telefon", "phone"),
    ("emailadresse", "email"),
    ("mailadresse", "email"),
    ("anschrift", "address"),
    ("strasse", "address"),
    ("adresse", "address"),
    ("vorname", "first name"),
    ("nachname", "last name"),
    ("bemerkung", "free text"),
    ("kommentar", "free text"),
    ("notiz", "free text"),
    ("notizen", "free text"),
)
_SPLIT = re.compile(r"[^\W\d_]+")
_CAPITALS = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zß-ÿ])")
_LONGEST_PHRASE = 5


def _lexicon() -> dict[str, Hint]:
    found: dict[str, Hint] = {}
    for shape, languages in _WORDS.items():
        for language, words in languages.items():
            for word in words.split():
                known = fold(word) in found
                found[fold(word)] = Hint(shape, None if known else language or None)  # type: ignore[arg-type]
    return found


_LEXICON = _lexicon()


def words_of(name: str) -> list[str]:
    """The folded words of a column's name."""
    return [fold(word) for part in _SPLIT.findall(name) for word in _CAPITALS.split(part) if word]


def hint(name: str) -> Hint | None:
    """The hint that a column's name gives; None if there is none."""
    words = words_of(name)
    things = bool(set(words) & _THINGS)
    for length in range(min(len(words), _LONGEST_PHRASE), 0, -1):
        for start in range(len(words) - length, -1, -1):
            found = _LEXICON.get("".join(words[start : start + length]))
            if found and not (things and found.shape == "person"):
                return found
    for word in reversed(words):
        for end, shape in _ENDS:
            if word.endswith(end):
                return Hint(shape, "de")  # type: ignore[arg-type]
    for word in words:
        if word in _NAMED and not things:
            language = _NAMED[word]
            return Hint("person", None if word == "name" else language, bool(set(words) & _PEOPLE))  # type: ignore[arg-type]
    return None
