"""The classes of personal data in the vault: what is asked for, allowed, kept and destroyed together. Pure."""

from types import MappingProxyType

IDENTITY, CONTACT, SAFE_CONTACT, CHILDREN = "identity", "contact", "safe_contact", "children"
OFFENDER, CALLER, NARRATIVE, RISK_ANSWERS = "offender", "caller", "narrative", "risk_answers"
CLASSES = frozenset({IDENTITY, CONTACT, SAFE_CONTACT, CHILDREN, OFFENDER, CALLER, NARRATIVE, RISK_ANSWERS})

_CLASS_OF = MappingProxyType(
    {
        "survivor.name": IDENTITY,
        "survivor.iin": IDENTITY,
        "survivor.birth_date": IDENTITY,
        "survivor.phone": CONTACT,
        "survivor.address": CONTACT,
        "survivor.safe_contact": SAFE_CONTACT,
        "survivor.children": CHILDREN,
        "alleged_offender.name": OFFENDER,
        "alleged_offender.iin": OFFENDER,
        "alleged_offender.birth_date": OFFENDER,
        "alleged_offender.phone": OFFENDER,
        "alleged_offender.address": OFFENDER,
        "alleged_offender.employer": OFFENDER,
        "caller.name": CALLER,
        "caller.phone": CALLER,
        "caller.address": CALLER,
        "caller.is_to_survivor": CALLER,
        "narrative": NARRATIVE,
        "risk": RISK_ANSWERS,
    }
)
FIELDS = frozenset(_CLASS_OF)


def class_of(field: str) -> str:
    """The class of a sealed field; KeyError for a name the form does not have."""
    return _CLASS_OF[field]
