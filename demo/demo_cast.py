"""The cast of the demonstration files: who they are and what they were billed.

Everybody in here is fictional: addresses end in example.com, example.org or .test, phones are 555-01xx.
"""

import random
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta


def listed(text: str) -> list[str]:
    """Return the words between the bars."""
    return text.split("|")


Line = tuple[str, float, int]
TODAY = date(2026, 11, 21)

FIRST = listed(
    "Ana|Ben|Carla|Dev|Elena|Frank|Grace|Hugo|Iris|Jamal|Kate|Luis|Maya|Noah|Olga|Pedro|Quinn|Rosa|Sam"
    "|Tara|Uma|Victor|Wendy|Xavier|Yara|Zoe|Amir|Bella|Cole|Dina|Eli|Fatima|George|Hana|Ivan|Jade|Kofi"
    "|Lena|Marco|Nina"
)
LAST = listed(
    "Adams|Brooks|Castillo|Dawson|Ellis|Foster|García|Hayes|Ibrahim|Jensen|Kim|Lopez|Müller|Nguyen"
    "|Ortega|Peña|Quigley|Ramírez|Schmidt|Torres|Underwood|Vargas|Walsh|Xiong|Young|Zimmer|Okafor|Patel"
    "|Rossi|Sato|Tran|Núñez"
)
STREETS = listed(
    "Saguaro Ln|Palo Verde Dr|Camelback Ct|Mesquite St|Ocotillo Way|Juniper Ave|Agave Rd|Ironwood Pl"
    "|Cholla St|Desert Willow Dr|Sandstone Ct|Copper Canyon Rd|Quail Run|Mockingbird Ln"
)
TOWNS = (
    ("Phoenix", "85014"),
    ("Mesa", "85201"),
    ("Tempe", "85281"),
    ("Glendale", "85301"),
    ("Chandler", "85224"),
)
FIRMS = listed(
    "Copperline Bakery|Sunrise Dental|Canyon Property Group|Ocotillo Yoga|Bluebird Daycare"
    "|Red Rock Auto|Palms Apartments|Desert Bloom Florist|Café Olé|Mesa Print Works|Kachina Vet Clinic"
    "|Saguaro Self Storage"
)
AREAS = ("602", "480", "623", "520", "928")
WORK = (
    ("AC tune-up", 12900), ("Furnace tune-up", 11900), ("Diagnostic visit", 8900),
    ("Capacitor, 45/5 µF", 18450),
    ("Blower motor, ½ HP", 61275), ("Refrigerant R-410A, per lb", 9850), ("Labor, per hour", 14500),
    ("Filter 16×25×1", 2495), ("Smart thermostat, set to 72°", 28900), ("Duct cleaning", 42500),
    ("Condensate drain line", 16780), ("Compressor replacement", 214900), ("After-hours fee", 7500),
)  # fmt: skip
PIPES = (
    ("Drain cleaning", 18500), ("Water heater, 50 gal", 139900), ("Leak repair", 24500),
    ("Toilet replacement", 38900),
    ("Sewer camera inspection", 29500), ("Faucet installation", 21500), ("Pressure valve", 33750),
)  # fmt: skip


@dataclass
class Person:
    """A customer of the demonstration."""

    id: str
    first: str
    last: str
    company: str
    email: str
    phone: str
    street: str
    town: str
    postal_code: str

    @property
    def name(self) -> str:
        return self.company or f"{self.first} {self.last}"


@dataclass
class Bill:
    """An invoice of the demonstration; amounts in cents."""

    number: int
    person: Person
    issued: date
    due: date
    lines: list[Line]
    discount: int = 0
    paid: int | None = None
    status: str = ""
    note: str = ""
    po_number: str = ""
    tax_permille: int = 86

    @property
    def subtotal(self) -> int:
        return sum(line_cents(quantity, price) for _text, quantity, price in self.lines)

    @property
    def tax(self) -> int:
        return ((self.subtotal - self.discount) * self.tax_permille + 500) // 1000

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.tax

    @property
    def received(self) -> int:
        return self.total if self.paid is None else self.paid

    @property
    def word(self) -> str:
        if self.status:
            return self.status
        if self.received == self.total:
            return "Paid"
        if self.received:
            return "Partially paid"
        return "Overdue" if self.due < TODAY else "Open"


def line_cents(quantity: float, price: int) -> int:
    """Return quantity times price in cents; quantities are halves and wholes."""
    return (int(quantity * 2) * price + 1) // 2


def ascii_word(text: str) -> str:
    """Return the letters of a name for an e-mail address."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(char for char in plain.lower() if char.isalnum())


def money(cents: int, rng: random.Random, *, plain: bool = False) -> str:
    """Write an amount in one of the ways found in exports."""
    sign, units, rest = ("-" if cents < 0 else ""), abs(cents) // 100, abs(cents) % 100
    if plain:
        return f"{sign}{units}.{rest:02}"
    if cents < 0:
        return f"({units:,}.{rest:02})"
    style = rng.randrange(10)
    if style < 5:
        return f"${units:,}.{rest:02}"
    if style < 7:
        return f"{units}.{rest:02}"
    if style == 7:
        return f"{units:,}.{rest:02} "
    if style == 8:
        return f"USD {units:,}.{rest:02}"
    return f"{units}.{rest // 10}" if rest % 10 == 0 and rest else f"$ {units}.{rest:02}"


def day(value: date, rng: random.Random) -> str:
    """Write a day in one of the ways found in exports; month first when in figures."""
    style = rng.randrange(10)
    if style < 6:
        return f"{value.month:02}/{value.day:02}/{value.year}"
    if style < 8:
        return value.isoformat()
    if style == 8:
        return f"{value:%b} {value.day}, {value.year}"
    return f"{value.month}/{value.day}/{value.year} 12:00 AM"


def phone(number: int, rng: random.Random) -> str:
    """Write the n-th fictional number in one of the usual ways."""
    area, last = AREAS[number // 100 % len(AREAS)], f"01{number % 100:02}"
    return rng.choice((f"({area}) 555-{last}", f"{area}-555-{last}", f"{area}.555.{last}", f"+1 {area} 555 {last}"))


def make_people(
    count: int, first_id: int, prefix: str, known: list[tuple[str, str]], rng: random.Random
) -> list[Person]:
    """Return `count` customers; the known ones come first."""
    people = []
    for index in range(count):
        first, last = known[index] if index < len(known) else (rng.choice(FIRST), rng.choice(LAST))
        company = ""
        if index >= len(known) and rng.random() < 0.12:
            company = f"{rng.choice(FIRMS)} {rng.choice(('LLC', 'Inc.', '& Sons', 'Co.'))}"
        domain = rng.choice(("example.com", "example.com", "example.org", "mail.test"))
        email = f"{ascii_word(first)}.{ascii_word(last)}{index}@{domain}"
        if index < len(known):
            email = f"{ascii_word(first)}@example.com"
        town, postal_code = rng.choice(TOWNS)
        people.append(
            Person(
                f"{prefix}-{first_id + index}",
                first,
                last,
                company,
                email,
                phone(index, rng),
                f"{rng.randrange(100, 9900)} {rng.choice(('N', 'S', 'E', 'W'))} {rng.choice(STREETS)}",
                town,
                postal_code,
            )
        )
    return people


def make_bills(
    people: list[Person], count: int, first: int, rng: random.Random, work: tuple[tuple[str, int], ...]
) -> list[Bill]:
    """Return invoices of the last two years in the order of their dates."""
    days = sorted(TODAY - timedelta(days=rng.randrange(0, 720)) for _index in range(count))
    bills = []
    for index, issued in enumerate(days):
        chosen = rng.sample(work, k=rng.choice((1, 1, 2, 2, 3, 4)))
        lines = [(text, rng.choice((1.0, 1.0, 1.0, 2.0, 1.5)), price) for text, price in chosen]
        bill = Bill(first + index, rng.choice(people), issued, issued + timedelta(days=rng.choice((0, 15, 30))), lines)
        if rng.random() < 0.08:
            bill.discount = min(2500, bill.subtotal // 4)
        if rng.random() < 0.05:
            bill.po_number = f"PO-{rng.randrange(1000, 9999)}"
        if rng.random() < 0.06:
            bill.note = 'Thank you for your business.\nAsk about our "Comfort Club".'
        age = (TODAY - issued).days
        chance = rng.random()
        if chance < 0.02:
            bill.status, bill.paid = "Void", 0
        elif (age < 45 and chance < 0.60) or chance < 0.06:
            bill.paid = 0
        elif chance < 0.09 and bill.total > 100:
            bill.paid = bill.total // 200 * 100
        if age < 3 and chance > 0.9:
            bill.status, bill.paid = "Draft", 0
        bills.append(bill)
    return bills


def cast_bills(alice: Person, bob: Person) -> list[Bill]:
    """Return the invoices that the walk-throughs rely on: Alice owes three, one overdue, one in part."""
    tune_up, visit, filters = ("AC tune-up", 1.0, 12900), ("Diagnostic visit", 1.0, 8900), 2495
    labor = ("Labor, per hour", 1.5, 14500)
    plan: list[tuple[Person, date, int, list[Line], int | None]] = [
        (alice, date(2026, 5, 4), 30, [tune_up, ("Filter 16×25×1", 2.0, filters)], None),
        (alice, date(2026, 7, 13), 30, [("Capacitor, 45/5 µF", 1.0, 18450), visit], None),
        (alice, date(2026, 9, 8), 30, [("Duct cleaning", 1.0, 42500)], None),
        (alice, date(2026, 9, 30), 30, [visit, ("Control board", 1.0, 29083)], 0),
        (
            alice,
            date(2026, 11, 5),
            30,
            [("Furnace tune-up", 1.0, 11900), ("Filter 16×25×1", 1.0, filters)],
            0,
        ),
        (alice, date(2026, 11, 10), 30, [("Smart thermostat, set to 72°", 1.0, 28900), labor], 20000),
        (bob, date(2026, 8, 3), 30, [tune_up], None),
        (bob, date(2026, 11, 2), 30, [("Blower motor, ½ HP", 1.0, 61275), labor], 0),
    ]
    return [
        Bill(10401 + index, person, issued, issued + timedelta(days=days), lines, paid=paid)
        for index, (person, issued, days, lines, paid) in enumerate(plan)
    ]
