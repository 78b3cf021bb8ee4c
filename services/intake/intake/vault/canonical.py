"""How what identifies a person is written down the one way: numbers, phones, names and places as keys. Pure.

The keys are for comparing only; what is kept, sealed, is what was said. Nothing here repeats its input in an error.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

IIN_DIGITS = 12
_WEIGHTS = tuple(range(1, 12))
_SECOND_WEIGHTS = (*range(3, 12), 1, 2)

# E.164: at most fifteen digits; shorter than eight is no number that can be called from abroad.
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{7,14}")
_COUNTRY = "+7"
_NATIONAL = 10

# Kazakh letters, typed on a keyboard that lacks them, become their Russian neighbours: Қайрат is also written Кайрат.
# An index of a name always goes with a birth date and a phone, so folding too much costs little and folding too little
# loses a person.
_KAZAKH = str.maketrans("әғқңөұүһіё", "агкноуухие")
# Latin letters that look like Cyrillic ones, for words in which both stand; a word all in Latin is left alone, because
# no transliteration of Kazakh names is the only one in use.
_LOOK_ALIKES = str.maketrans("abcehikmoptxyu", "авсенікмортхуи")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_WORD = re.compile(r"[^\W_]+")
# A patronymic as a word of its own; it is given or left out as people like, so it identifies nobody.
_CHILD_OF = frozenset({"улы", "кызы", "оглы", "uly", "kyzy", "qyzy"})
_PATRONYMIC = re.compile(
    r".{2,}(ович|евич|ьич|овна|евна|ична|инична|улы|кызы|ovich|evich|ovna|evna|uly|kyzy|qyzy)|.{3,}ич"
)
# What people put before a street or a house number, or leave out. Single Cyrillic letters are abbreviations here.
_PLACE_WORDS = frozenset(
    word
    for words in (
        "улица ул проспект пр пркт переулок пер бульвар мкр микрорайон дом д корпус корп к город г село с аул",  # noqa: RUF001
        "поселок пос коше кошеси кош данги дангылы шагын аудан аудани уй каласы кала ауылы",
        "street st avenue ave house city",
    )
    for word in words.split()
)
_PLACE_WORD = re.compile(r"[0-9]+|[^\W\d_]+")


def iin_holds(iin: str) -> bool:
    """Whether the control digit of an individual identification number fits the eleven before it.

    Weights 1 to 11 modulo 11; where that gives 10, once more with 3 to 11, 1, 2; a number that gives 10 again is never
    issued (rules for forming the identification number, government resolution No. 406 of 22 May 2007; read in
    secondary sources). The birth date in it is not compared: since resolution No. 853 of 26 August 2013 the digits
    need not agree with the person's data.
    """
    if len(iin) != IIN_DIGITS or not (iin.isascii() and iin.isdigit()):
        return False
    digits = [int(digit) for digit in iin]
    control = _control(digits, _WEIGHTS)
    if control == 10:
        control = _control(digits, _SECOND_WEIGHTS)
    return control == digits[-1]


def phone_number(text: str) -> str:
    """A phone number as E.164 (`+77011234567`); national numbers are Kazakhstan's. Raises ValueError."""
    told = unicodedata.normalize("NFKC", text).translate(_ORNAMENTS)
    plus, digits = told.startswith("+"), told.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("not a phone number")
    if not plus and digits.startswith("00"):
        plus, digits = True, digits[2:]
    if not plus and len(digits) == _NATIONAL + 1 and digits[0] in "78":
        digits = digits[1:]
        number = _COUNTRY + digits
    elif not plus and len(digits) == _NATIONAL and digits[0] == "7":
        number = _COUNTRY + digits
    else:
        number = "+" + digits if plus else ""
    if not _INTERNATIONAL.fullmatch(number):
        raise ValueError("not a phone number")
    return number


def name_key(name: str) -> str:
    """A name as its words, folded, in the order of the alphabet, without a patronymic; empty where too little is left.

    One word is not enough: it would make everybody of that first name the same.
    """
    words: list[str] = []
    for word in map(_folded, _words(name)):
        if word in _CHILD_OF and words:
            words[-1] += word
        else:
            words.append(word)
    identifying = [word for word in words if not _PATRONYMIC.fullmatch(word)]
    # With fewer than two others left, what looks like a patronymic is rather the family name.
    chosen = identifying if len(identifying) >= 2 else words
    return " ".join(sorted(chosen)) if len(chosen) >= 2 else ""


def place_key(parts: Sequence[str]) -> str:
    """A building by its settlement, street and number, folded; empty where one of them says nothing."""
    keys = [" ".join(_without_place_words(part)) for part in parts]
    return "|".join(keys) if all(keys) else ""


def _control(digits: Sequence[int], weights: Iterable[int]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % 11


class _Without(dict[int, int | None]):
    """A table for `str.translate` that leaves out some signs and all of some categories, and remembers some."""

    _most = 4_096

    def __init__(self, signs: str, *categories: str) -> None:
        super().__init__({ord(sign): None for sign in signs})
        self._categories = categories

    def __missing__(self, code: int) -> int | None:
        kept = None if unicodedata.category(chr(code)) in self._categories else code
        if len(self) < self._most:
            self[code] = kept
        return kept


# Spaces, dashes, brackets, points and invisible marks, however a document wrote them.
_ORNAMENTS = _Without(".", "Zs", "Pd", "Ps", "Pe", "Cf")
# A hyphen or an apostrophe joins: Абай-Хан and АбайХан are one word.
_JOINS = _Without("'`\u2019\u02bc", "Pd", "Cf", "Mn")


def _words(text: str, word: re.Pattern[str] = _WORD) -> list[str]:
    normal = unicodedata.normalize("NFKC", text).casefold()
    return word.findall(normal.translate(_JOINS))


def _folded(word: str) -> str:
    if _CYRILLIC.search(word):
        word = word.translate(_LOOK_ALIKES)
    return word.translate(_KAZAKH)


def _without_place_words(part: str) -> list[str]:
    return [word for word in map(_folded, _words(part, _PLACE_WORD)) if word not in _PLACE_WORDS]
