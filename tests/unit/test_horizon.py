"""The horizon: what is due soon, oldest first, whatever is armed and disarmed meanwhile; memory bounded in a storm."""

import random

from qorgau.shell.horizon import Horizon
from qorgau.store import Due


class Cases:
    """The cases of a database, by name; remembers how much was asked for."""

    def __init__(self, due: dict[str, int]) -> None:
        self.due = due
        self.asked: list[tuple[int | None, int]] = []

    async def find(self, after: int | None, until: int, most: int) -> list[Due]:
        self.asked.append((after, until))
        found = sorted(Due(at, case) for case, at in self.due.items() if (after is None or at > after) and at <= until)
        return found[:most]


def horizon(cases: Cases, length: int = 30, most: int = 5_000) -> Horizon:
    return Horizon(cases.find, lambda: length, most)


async def test_cases_are_taken_when_due_and_the_oldest_first() -> None:
    cases = Cases({"late": 5, "now": 10, "soon": 11, "far": 99})
    ahead = horizon(cases)
    await ahead.fill(10)
    assert ahead.take(10, 1) == ["late"]
    assert ahead.take(10, 9) == ["now"]
    assert ahead.take(10, 9) == []
    assert ahead.head() == 11


async def test_an_earlier_arming_wakes_earlier_and_a_later_one_replaces_it() -> None:
    ahead = horizon(Cases({"a": 20}))
    await ahead.fill(0)
    ahead.arm("a", 7)
    assert ahead.head() == 7
    ahead.arm("a", 25)
    assert ahead.take(24, 9) == []
    assert ahead.take(25, 9) == ["a"]
    ahead.arm("a", None)
    assert ahead.take(99, 9) == []


async def test_what_lies_beyond_is_found_when_time_comes_to_the_end_of_the_horizon() -> None:
    cases = Cases({"far": 45})
    ahead = horizon(cases)
    await ahead.fill(10)
    assert ahead.head() == 40
    await ahead.fill(39)
    assert cases.asked == [(None, 40)]
    await ahead.fill(40)
    assert ahead.head() == 45
    # Armed beyond the end it is in the database only, and comes from there.
    ahead.arm("beyond", 200)
    cases.due = {"beyond": 200}
    assert ahead.take(45, 9) == ["far"]
    await ahead.fill(180)
    assert ahead.head() == 200


async def test_a_storm_at_one_instant_is_taken_in_pieces_and_whole() -> None:
    cases = Cases({f"c{n:03}": 50 for n in range(100)} | {"first": 49, "last": 51})
    ahead, seen = horizon(cases, most=10), list[str]()
    while len(seen) < 102:
        await ahead.fill(60)
        taken = ahead.take(60, 7)
        assert len(taken) <= 7
        seen += taken
        for case in taken:
            del cases.due[case]
    assert (seen[0], seen[-1], len(set(seen))) == ("first", "last", 102)


async def test_any_arming_in_any_order_gives_each_case_once_at_its_last_instant() -> None:
    draw = random.Random(7)
    ahead, due = horizon(Cases({}), length=1_000), dict[str, int]()
    await ahead.fill(0)
    for _ in range(2_000):
        case = f"c{draw.randrange(50)}"
        due[case] = draw.randrange(1, 1_000)
        ahead.arm(case, due[case])
    taken = [case for at in range(1_000) for case in ahead.take(at, 99)]
    assert taken == sorted(due, key=lambda case: (due[case], taken.index(case)))
    assert sorted(taken) == sorted(due)
