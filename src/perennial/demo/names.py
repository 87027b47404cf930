"""Names of places, companies and people; all made up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennial.demo.arrow import Ints, Texts

#: The company whose customers these are.
VENDOR = "Aldermoor"
VENDOR_DOMAIN = "aldermoor.example"


@dataclass(frozen=True)
class Country:
    """A country: its time zones, language, own currency and summer holidays.

    `share` is its part of the customers; `summer` the day of the year in the middle
    of the holidays, `depth` how much of the planted summer dip happens there.
    """

    code: str
    zones: tuple[str, ...]
    language: str
    currency: str
    share: float
    summer: int
    depth: float


COUNTRIES = (
    Country("DE", ("Europe/Berlin",), "de", "EUR", 0.25, 220, 1.0),
    Country("SE", ("Europe/Stockholm",), "sv", "SEK", 0.17, 200, 1.3),
    Country(
        "US",
        ("America/New_York", "America/Chicago", "America/Los_Angeles"),
        "en",
        "USD",
        0.2,
        190,
        0.4,
    ),
    Country("GB", ("Europe/London",), "en", "GBP", 0.14, 222, 0.8),
    Country("FR", ("Europe/Paris",), "fr", "EUR", 0.08, 225, 1.5),
    Country("NL", ("Europe/Amsterdam",), "nl", "EUR", 0.08, 213, 1.0),
    Country("AT", ("Europe/Vienna",), "de", "EUR", 0.05, 218, 1.0),
    Country("FI", ("Europe/Helsinki",), "sv", "EUR", 0.03, 196, 1.3),
)

ZONES = tuple(dict.fromkeys(zone for c in COUNTRIES for zone in c.zones))

#: Those who look after accounts, and the segment each mainly has.
OWNERS = (
    ("Elin Brandqvist", "Enterprise"),
    ("Priya Ramaswamy", "Enterprise"),
    ("Maja Lindqvist", "Mid-market"),
    ("Jonas Weidner", "Mid-market"),
    ("Tom Oakhurst", "Small business"),
    ("Sanne de Graaf", "Small business"),
)

#: Others at the vendor, who also log in.
STAFF = ("Ada Fenwick", "Nils Bergdahl", "Greta Hollstein", "Omar Selby")

INDUSTRIES = (
    ("Facility services", ("Facilities", "Building Care", "Estates")),
    ("Utilities", ("Energy", "Water", "Grid Services")),
    ("Logistics", ("Logistics", "Freight", "Depots")),
    ("Healthcare", ("Medical", "Clinics", "Care Homes")),
    ("Construction", ("Construction", "Roofing", "Scaffolding")),
    ("Hospitality", ("Hotels", "Resorts", "Catering")),
    ("Manufacturing", ("Steel", "Machine Works", "Packaging")),
    ("Retail", ("Stores", "Markets", "Home & Garden")),
    ("Telecommunications", ("Fibre", "Networks", "Towers")),
    ("Public sector", ("Schools", "Parks", "District Works")),
)

_HEADS = """
    Bram Cald Dunn Eshe Fenn Gorse Hesk Ivel Kerr Larkh Marro Nesk Orrin Pellen Quarn
    Rusk Skell Tarrow Ulver Venn Wether Yarl Zell Ambler Brisk Corv Drum
"""
_TAILS = "wick mere brook holm stead vale ridge combe thorpe gate haven moor lund vik"

_FIRST = {
    "de": "Anke Bernd Clara Dieter Emma Felix Greta Hannes Ines Jonas Katrin Lukas "
    "Miriam Nico Petra Ralf Sabine Thilo Ulrike Volker",
    "sv": "Agnes Björn Cecilia David Elsa Fredrik Gunilla Henrik Ida Johan Karin "
    "Lars Malin Nils Oskar Pernilla Rasmus Saga Tove Viktor",
    "en": "Alice Ben Carla Derek Ethan Fiona Grace Harvey Isla Jack Kate Liam Megan "
    "Noah Olivia Peter Quinn Rosa Samuel Tara",
    "fr": "Amélie Bastien Chloé Damien Élodie Fabien Gaëlle Hugo Inès Julien Léa "
    "Mathieu Nadia Olivier Pauline Rémi Sophie Thierry Valérie Yann",
    "nl": "Anouk Bram Carlijn Daan Eva Floris Geert Hanna Iris Jeroen Kim Lotte "
    "Maarten Noor Oscar Pieter Rik Sanne Tess Wouter",
}
_LAST = {
    "de": "Albers Brandt Cordes Dreher Ebeling Fuchs Gruber Hartwig Imhoff Jansen "
    "Keller Lorenz Meier Neumann Otten Pohl Richter Schade Thoma Vogt Wirth Zeller",
    "sv": "Ahl Bergman Ceder Dahl Ek Falk Granath Holm Isaksson Jonsson Krantz Lind "
    "Moberg Norén Öberg Palm Rask Sandberg Törn Ulvås Wik Åkesson",
    "en": "Archer Bell Coleman Doyle Ellis Foster Graham Hale Irwin Jarvis Kemp Lowe "
    "Mercer Nash Owens Pike Rowe Sutton Thorne Vance Ward Yates",
    "fr": "Aubert Blanchet Carré Delmas Étienne Faure Garnier Humbert Joly Lacroix "
    "Marchand Noël Perrin Renaud Simon Tessier Vasseur Weber",
    "nl": "Akkerman Bos Claassen Dekker Evers Faber Groen Hoekstra Jonker Kuiper "
    "Leeuw Mulder Noord Post Roos Smit Timmer Verbeek Visser Zwart",
}

#: Letters that do not belong in an address.
_PLAIN = str.maketrans(
    {
        "ä": "a",
        "ö": "o",
        "ü": "u",
        "å": "a",
        "é": "e",
        "è": "e",
        "ë": "e",
        "É": "e",
        "Å": "a",
        "Ö": "o",
        "ß": "ss",
        " ": "-",
        "&": "and",
    }
)


def slug(name: str) -> str:
    """A name as it stands in an address: lower case, plain letters, hyphens."""
    return name.translate(_PLAIN).lower()


def staff_email(name: str) -> str:
    """The address of someone at the vendor."""
    return f"{slug(name).replace('-', '.', 1)}@{VENDOR_DOMAIN}"


def companies(rng: np.random.Generator, industry: Ints) -> list[str]:
    """Distinct names of companies, each of an industry (index into `INDUSTRIES`)."""
    stems = [head + tail for head in _HEADS.split() for tail in _TAILS.split()]
    order = rng.permutation(len(stems))
    ending = rng.integers(0, 3, len(industry))
    names = []
    for i, (kind, last) in enumerate(zip(industry, ending, strict=True)):
        round_, at = divmod(i, len(stems))
        stem = stems[order[at]]
        extra = f" {round_ + 1}" if round_ else ""
        names.append(f"{stem} {INDUSTRIES[kind][1][last]}{extra}")
    return names


def people(rng: np.random.Generator, languages: Texts) -> list[str]:
    """Names of people, by the language of where they live."""
    count = len(languages)
    first, last = rng.random(count), rng.random(count)
    names = []
    for language, f, n in zip(languages, first, last, strict=True):
        given, family = _SPLIT[language]
        names.append(f"{given[int(f * len(given))]} {family[int(n * len(family))]}")
    return names


def addresses(people: list[str], domains: Texts) -> list[str]:
    """E-mail addresses at the domains; namesakes at one domain are numbered."""
    taken: dict[str, int] = {}
    found = []
    for name, domain in zip(people, domains, strict=True):
        local = slug(name).replace("-", ".", 1)
        key = f"{local}@{domain}"
        taken[key] = taken.get(key, 0) + 1
        number = "" if taken[key] == 1 else str(taken[key])
        found.append(f"{local}{number}@{domain}")
    return found


_SPLIT = {key: (_FIRST[key].split(), _LAST[key].split()) for key in _FIRST}
