"""Read the closed vocabularies of exports: yes and no, kinds, languages, countries, states, postal codes."""

import re
import unicodedata

from .money import is_empty

_SAY_YES = "yes y true t 1 x on active si verdadero checked enabled"
_SAY_NO = "no n false f 0 off inactive falso unchecked disabled"
_SAY_COMPANY = (
    "commercial company business organization organisation corporate corporation comercial empresa negocio "
    "property manager management b2b industrial contractor government"
)
_SAY_PERSON = "residential person individual homeowner home residencial persona particular b2c consumer"
_YES = frozenset(_SAY_YES.split())
_NO = frozenset(_SAY_NO.split())
_COMPANY = frozenset(_SAY_COMPANY.split())
_PERSON = frozenset(_SAY_PERSON.split())

_COUNTRY_WORDS = """
US us|usa|u s|u s a|united states|united states of america|estados unidos|ee uu|eeuu|puerto rico|pr
CA ca|can|canada
MX mx|mex|mexico
GB gb|uk|united kingdom|great britain|england
AU au|aus|australia
NZ nz|new zealand
IE ie|ireland
DE de|germany
ES es|spain|espana
"""
_STATE_WORDS = """
AL alabama|AK alaska|AZ arizona|AR arkansas|CA california|CO colorado|CT connecticut|DE delaware
DC district of columbia|FL florida|GA georgia|HI hawaii|ID idaho|IL illinois|IN indiana|IA iowa|KS kansas
KY kentucky|LA louisiana|ME maine|MD maryland|MA massachusetts|MI michigan|MN minnesota|MS mississippi
MO missouri|MT montana|NE nebraska|NV nevada|NH new hampshire|NJ new jersey|NM new mexico|NY new york
NC north carolina|ND north dakota|OH ohio|OK oklahoma|OR oregon|PA pennsylvania|PR puerto rico
RI rhode island|SC south carolina|SD south dakota|TN tennessee|TX texas|UT utah|VT vermont|VA virginia
WA washington|WV west virginia|WI wisconsin|WY wyoming
"""
_COUNTRIES = {word: line[:2] for line in _COUNTRY_WORDS.split("\n") if line for word in line[3:].split("|")}
STATES = {name[3:]: name[:2] for name in _STATE_WORDS.strip().replace("\n", "|").split("|")}


def fold(text: str) -> str:
    """Return lower-case words without accents and punctuation, for comparing."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in plain if not unicodedata.combining(char)).casefold()
    return " ".join(re.findall(r"[a-z0-9]+", plain)) if plain.isascii() else " ".join(re.findall(r"\w+", plain))


def parse_flag(text: str) -> bool | None:
    """Return yes or no, or None when the cell is empty or says neither."""
    word = fold(text)
    if word in _YES:
        return True
    return False if word in _NO else None


def parse_kind(text: str) -> str | None:
    """Return `person` or `company`, or None when the cell says neither."""
    words = set(fold(text).split())
    if words & _COMPANY:
        return "company"
    return "person" if words & _PERSON else None


def parse_language(text: str) -> str | None:
    """Return `en` or `es`, or None when the cell names neither."""
    word = fold(text)
    if word in {"es", "spa", "spanish", "espanol", "castellano"} or word.startswith("es "):
        return "es"
    return "en" if word in {"en", "eng", "english", "ingles"} or word.startswith("en ") else None


def parse_country(text: str) -> str | None:
    """Return the ISO code of a country, or None when it is not known."""
    word = fold(text)
    if word in _COUNTRIES:
        return _COUNTRIES[word]
    return text.strip().upper() if re.fullmatch(r"[A-Za-z]{2}", text.strip()) else None


def tidy_state(text: str, *, country: str) -> str:
    """Return the two-letter state for the United States, otherwise the text as it stands."""
    if is_empty(text):
        return ""
    if country != "US":
        return text.upper() if len(text) <= 3 else text
    short = text.replace(".", "").strip()
    return short.upper() if len(short) == 2 else STATES.get(fold(text), text)


def tidy_postal_code(text: str, *, country: str) -> str:
    """Return the code with the leading zeros a spreadsheet dropped and the usual spacing."""
    if is_empty(text):
        return ""
    plain = re.sub(r"\.0+$", "", text.strip().lstrip("'")).upper()
    if country == "US":
        digits = re.sub(r"[\s-]", "", plain)
        if digits.isascii() and digits.isdigit():
            if 3 <= len(digits) <= 5:
                return digits.zfill(5)
            if 7 <= len(digits) <= 9:
                digits = digits.zfill(9)
                return f"{digits[:5]}-{digits[5:]}"
    if country == "CA":
        code = re.sub(r"[\s-]", "", plain)
        if re.fullmatch(r"[A-Z]\d[A-Z]\d[A-Z]\d", code):
            return f"{code[:3]} {code[3:]}"
    return plain


def is_us_postal_code(text: str) -> bool:
    """Tell whether the text is a five or nine digit code."""
    return re.fullmatch(r"\d{5}(-\d{4})?", text) is not None
