"""Reports on people who do not exist, by number, with everything a desk may be told of them."""

from typing import Any

from intake.vault.canonical import iin_holds


def iin(number: int) -> str:
    """A number of twelve digits that holds, another one for each."""
    first = f"{number * 7 % 10**11:011}"
    return next((first + last for last in "0123456789" if iin_holds(first + last)), f"{first}0")


def personal_part(number: int) -> dict[str, Any]:
    """A survivor, an alleged offender, a caller, and what happened."""
    return {
        "survivor": {
            "name": f"Survivor{number} Madeup",
            "iin": iin(2 * number),
            "birth_date": "1986-04-12",
            "phone": f"+7701{number % 10**7:07}",
            "address": {"settlement": "Almaty", "street": f"Street {number}", "building": "7", "flat": "12"},
            "safe_contact": {
                "channels": [{"kind": "phone", "details": "a neighbour"}],
                "times": [{"from": "09:00", "until": "12:00", "days": ["mon", "tue"]}],
                "code_word": "saffron",
            },
            "children": [{"name": "Child Madeup", "age": 7}],
        },
        "alleged_offender": {
            "name": f"Offender{number} Madeup",
            "iin": iin(2 * number + 1),
            "phone": f"+7777{number % 10**7:07}",
        },
        "caller": {"name": "Neighbour Madeup", "phone": f"+7702{number % 10**7:07}", "is_to_survivor": "neighbour"},
        "narrative": "What happened, told on the phone in several sentences. " * 12,
        "risk": {"tool": "dash", "answers": {f"q{question}": "yes" for question in range(27)}},
        "consents": {"clinic/KZ-75-1": "given"},
    }


def report(number: int) -> dict[str, Any]:
    """A report of the helpline on them."""
    return {"region": "KZ-75", "channel": "150", "area": "urban", **personal_part(number)}
