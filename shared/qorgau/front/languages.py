"""Which of our languages a reader wants, by the header `Accept-Language` (RFC 9110, 12.5.4). Pure."""

import re

from qorgau.titles import LANGUAGES, Language

DEFAULT: Language = "en"
# A header is short; what is longer is not read to its end.
_MOST = 32
_RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*[qQ]\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?")


def wanted_language(header: str | None) -> Language:
    """The one of ours that the header gives the greatest weight; at the same weight the one named first. English where
    it names none of them, or cannot be read: a reader is not refused for it."""
    best: tuple[float, Language] = (0.0, DEFAULT)
    for part in (header or "").split(",", _MOST)[:_MOST]:
        found = _RANGE.fullmatch(part)
        named = next((language for language in LANGUAGES if found and language == found[1].lower()), None)
        if found is not None and named is not None and float(found[2] or 1) > best[0]:
            best = float(found[2] or 1), named
    return best[1]
