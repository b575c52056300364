"""What the sample is made of: waders for surnames, streets that don't exist in cities that do, charges nobody billed.

The surnames are birds' names, so that nobody real can be meant; the codes begin with a letter that no procedure code
begins with; the phone numbers come from the range kept for fiction (555-0100 to 555-0199).
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A real city with some of its ZIP codes and an area code."""

    city: str
    state: str
    postal_codes: tuple[str, ...]
    area_code: str


SAMPLE_PLACES = (
    Place("New York", "NY", ("10001", "10025", "10128"), "212"),
    Place("Boston", "MA", ("02108", "02116", "02130"), "617"),
    Place("Atlanta", "GA", ("30303", "30309", "30318"), "404"),
    Place("Miami", "FL", ("33125", "33130", "33145"), "305"),
    Place("Chicago", "IL", ("60607", "60614", "60640"), "312"),
    Place("Houston", "TX", ("77002", "77019", "77057"), "713"),
    Place("Denver", "CO", ("80202", "80211", "80220"), "303"),
    Place("Phoenix", "AZ", ("85003", "85016", "85032"), "602"),
    Place("Los Angeles", "CA", ("90012", "90026", "90042"), "213"),
    Place("Seattle", "WA", ("98101", "98115", "98122"), "206"),
    Place("Anchorage", "AK", ("99501", "99508"), "907"),
    Place("Honolulu", "HI", ("96813", "96816"), "808"),
)

FIRST_NAMES = [
    "Ada",
    "Ben",
    "Cora",
    "Dev",
    "Edith",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaya",
    "Leo",
    "Mina",
    "Noor",
    "Otis",
    "Priya",
    "Quinn",
    "Rosa",
    "Sami",
    "Tess",
    "Umar",
    "Vera",
    "Wade",
    "Xenia",
    "Yusuf",
    "Zoë",
]
SPANISH_FIRST_NAMES = [
    "Álvaro",
    "Belén",
    "Cándido",
    "Dolores",
    "Efraín",
    "Fátima",
    "Íñigo",
    "Jimena",
    "Lucía",
    "Nicolás",
    "Óscar",
    "Pilar",
]
SURNAMES = [
    "Avocet",
    "Bittern",
    "Curlew",
    "Dotterel",
    "Dowitcher",
    "Dunlin",
    "Egret",
    "Fulmar",
    "Godwit",
    "Greenshank",
    "Jacana",
    "Killdeer",
    "Knotts",
    "Lapwing",
    "Oystercatcher",
    "Phalarope",
    "Plover",
    "Pratincole",
    "Redshank",
    "Ruff",
    "Sanderling",
    "Sandpiper",
    "Snipe",
    "Stilt",
    "Stint",
    "Surfbird",
    "Tattler",
    "Turnstone",
    "Whimbrel",
    "Willet",
    "Woodcock",
    "Wrybill",
    "Yellowlegs",
]
SPANISH_SURNAMES = [
    "Agachadiza",
    "Andarríos",
    "Avefría",
    "Avoceta",
    "Becada",
    "Chorlito",
    "Cigüeñuela",
    "Correlimos",
    "Garceta",
    "Ostrero",
    "Zarapito",
]
# Names that are text in full: emoji, right to left, an apostrophe, a letter outside the basic plane.
UNUSUAL_NAMES = (
    ("Robin 🐦", "Plover"),
    ("دينا", "طائر-الدريجة"),
    ("דוגמה", "חופית"),
    ("D’Arcy", "O’Stint"),  # noqa: RUF001 - the apostrophe that word processors write
    ("Anne-Sophie", "Bécasseau-Variable"),
    ("𝒵oe", "Curlew"),  # noqa: RUF001 - outside the basic plane on purpose
)

STREETS = [
    "Alpine Dunlin",
    "Brackish",
    "Cordgrass",
    "Eelgrass",
    "Estuary",
    "Glasswort",
    "Godwit",
    "Low Tide",
    "Mudflat",
    "Oystershell",
    "Saltmarsh",
    "Sandbar",
    "Sea Lavender",
    "Shingle",
    "Shorebird",
    "Spartina",
    "Tidewater",
    "Wader",
]
STREET_KINDS = ("Avenue", "Court", "Lane", "Place", "Road", "Street", "Terrace", "Way")
UNITS = ("Apt 2", "Apt 14B", "Unit 7", "Suite 120", "Floor 3")

PROVIDERS = ("Dr. Sample Turnstone", "Dr. Made-Up Heron", "Dr. Invented Ibis", "Pat Fictional Tern, NP")
LOCATIONS = ("Main Street Clinic", "North Campus", "Harbor Building", "UNKNOWN-77")
PAYERS = ("Example Health Plan", "Sample Mutual", "Placeholder Insurance Co.")
PRACTICE_MESSAGES = (
    "Thank you for choosing us. Call us with any question about this bill.",
    "We offer payment plans. Ask us before the due date.",
    "Your insurance has been billed. The balance shown is your responsibility.",
)
SPANISH_MESSAGE = "Gracias por elegirnos. Llámenos si tiene preguntas sobre esta factura."


class Service(NamedTuple):
    """Something that a practice charges for: made-up code, description, and range of price in cents."""

    code: str
    description: str
    lowest: int
    highest: int


SERVICES = (
    Service("Q1001", "Office visit, new patient, 30 minutes", 14_000, 26_000),
    Service("Q1002", "Office visit, established patient, 15 minutes", 7_500, 14_500),
    Service("Q1003", "Office visit, established patient, 25 minutes", 11_000, 21_000),
    Service("Q1010", "Yearly preventive visit, adult", 15_000, 28_000),
    Service("Q1011", "Well-child visit", 12_000, 22_000),
    Service("Q1020", "Telephone consultation, 10 minutes", 4_000, 9_000),
    Service("Q2001", "Blood draw", 900, 3_500),
    Service("Q2002", "Complete blood count", 1_500, 6_000),
    Service("Q2003", "Basic metabolic panel", 2_000, 8_500),
    Service("Q2004", "Lipid panel", 2_500, 9_500),
    Service("Q2005", "Urinalysis, automated", 800, 3_000),
    Service("Q2006", "Rapid strep test", 1_800, 5_500),
    Service("Q3001", "X-ray of the wrist, two views", 6_000, 18_000),
    Service("Q3002", "X-ray of the chest, one view", 5_500, 16_000),
    Service("Q3003", "Ultrasound, limited", 12_000, 34_000),
    Service("Q3004", "Electrocardiogram with report", 4_500, 15_000),
    Service("Q4001", "Influenza vaccine", 2_500, 6_500),
    Service("Q4002", "Giving a vaccine", 1_500, 4_500),
    Service("Q4003", "Removal of ear wax", 3_500, 12_000),
    Service("Q4004", "Wound closure, simple", 14_000, 42_000),
    Service("Q5001", "Physical therapy, 15 minutes", 4_500, 11_000),
    Service("Q5002", "Hearing screening", 1_500, 6_000),
)

BAD_EMAILS = (
    "no-at-sign.example.com",
    "two@@example.com",
    "trailing@",
    "with space@example.com",
    "dots..dots@example.com",
)
BAD_PHONES = ("555-01", "none", "12", "000-000-0000", "see chart")
