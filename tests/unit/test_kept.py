"""What a data folder keeps: its key, for its owner alone; its clock, which stands still while nothing runs."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from qorgau.auth import make_token
from qorgau.clock import ClockSetting, read_clock, wall_ticks, write_clock
from qorgau.embedded.kept import BEAT, KeptClock, data_folder, is_real, private_folder, token_key
from qorgau.identity.tokens import SharedKeyTokens
from qorgau.instants import DAY, HOUR, MINUTE, parse_instant
from qorgau.starting import StartRefused

AT = parse_instant("2020-03-01T00:00:00Z")
SEASON = ClockSetting(AT, AT, 10_000)


@pytest.fixture
def clock(tmp_path: Path) -> KeptClock:
    return KeptClock(tmp_path / "clock.json")


def standing(clock: KeptClock) -> int:
    """The instant at which the clock is held; fails if it runs."""
    setting = read_clock(clock.file)
    assert setting.wall > wall_ticks() + MINUTE
    return setting.at


async def test_a_key_is_made_once_and_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    key = token_key(tmp_path)
    assert token_key(tmp_path) == key
    assert token_key(tmp_path / ".." / tmp_path.name) == key
    assert stat.S_IMODE((tmp_path / "token-key").stat().st_mode) == 0o600
    assert (await SharedKeyTokens(key).read(make_token(key))).agency == "*"


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    for name in "ab":
        private_folder(tmp_path / name)
    assert token_key(tmp_path / "a") != token_key(tmp_path / "b")


def test_a_damaged_key_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "token-key"
    file.write_text("half", encoding="ascii")
    with pytest.raises(StartRefused, match="damaged"):
        token_key(tmp_path)
    assert file.read_text(encoding="ascii") == "half"


def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    private_folder(tmp_path / "above" / "data")
    assert stat.S_IMODE((tmp_path / "above" / "data").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartRefused, match="--data"):
        private_folder(tmp_path / "file" / "data")


def test_real_work_and_a_played_season_have_folders_of_their_own(tmp_path: Path) -> None:
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    own, season = (data_folder(season=played, environment=environment) for played in (False, True))
    assert own != season
    assert own.parent == season.parent == tmp_path / "qorgau"
    assert data_folder(season=False, environment={}) == Path.home() / ".local/share/qorgau/own"


def test_a_new_clock_shows_real_time_and_stays_as_it_is(clock: KeptClock) -> None:
    clock.hold()
    setting = read_clock(clock.file)
    assert is_real(setting)
    clock.release()
    clock.beat()
    clock.stand()
    clock.hold()
    assert read_clock(clock.file) == setting


def test_a_seasons_clock_stands_at_its_begin_until_it_is_released(clock: KeptClock) -> None:
    clock.hold(SEASON)
    assert standing(clock) == AT
    before = wall_ticks()
    clock.release()
    setting = read_clock(clock.file)
    assert (setting.at, setting.factor) == (AT, 10_000)
    assert before <= setting.wall <= wall_ticks()


def test_a_clock_goes_on_where_it_stood_when_everything_was_stopped(clock: KeptClock) -> None:
    write_clock(clock.file, AT, 24, wall_ticks() - HOUR)
    clock.stand()
    clock.hold(SEASON)
    assert AT + DAY <= standing(clock) < AT + DAY + HOUR
    assert read_clock(clock.file).factor == 24


def test_after_a_kill_the_clock_goes_on_at_most_a_beat_later_and_never_earlier(clock: KeptClock) -> None:
    write_clock(clock.file, AT, 3_600, wall_ticks() - HOUR)
    clock.beat()
    shown = read_clock(clock.file).instant(wall_ticks())
    clock.hold()
    assert shown <= standing(clock) <= shown + 3_600 * (BEAT // timedelta(microseconds=1))


def test_a_start_that_is_killed_loses_nothing_of_the_clock(clock: KeptClock) -> None:
    clock.hold(SEASON)
    clock.beat()
    clock.hold(SEASON)
    assert standing(clock) == AT
    clock.release()
    assert read_clock(clock.file).factor == 10_000


def test_a_clock_that_was_set_while_nothing_ran_begins_there(clock: KeptClock) -> None:
    write_clock(clock.file, AT, 1, wall_ticks() - HOUR)
    clock.stand()
    write_clock(clock.file, AT - DAY, 5)
    clock.hold()
    assert standing(clock) == AT - DAY
    assert read_clock(clock.file).factor == 5


def test_a_clock_that_was_set_while_it_was_held_is_left_alone(clock: KeptClock) -> None:
    clock.hold(SEASON)
    mine = write_clock(clock.file, AT + DAY, 0)
    clock.release()
    assert read_clock(clock.file) == mine


def test_a_season_in_a_folder_of_real_time_goes_on_from_now_and_never_back(clock: KeptClock) -> None:
    clock.hold()
    before = wall_ticks()
    clock.hold(SEASON)
    assert before <= standing(clock) <= wall_ticks()
    assert read_clock(clock.file).factor == 10_000


@pytest.mark.parametrize("mark", ["", "[]", '{"clock": 5, "at": "noon"}'])
def test_a_damaged_note_is_one_that_is_not_there(clock: KeptClock, mark: str) -> None:
    write_clock(clock.file, AT, 0)
    clock.stand()
    noted = [file for file in clock.file.parent.iterdir() if file != clock.file]
    assert len(noted) == 1
    noted[0].write_text(mark, encoding="utf-8")
    clock.hold()
    assert standing(clock) == AT


def test_a_clock_file_that_is_broken_refuses_the_start_and_disturbs_no_beat(clock: KeptClock) -> None:
    clock.file.write_text("broken", encoding="utf-8")
    clock.beat()
    with pytest.raises(StartRefused, match=r"clock\.json"):
        clock.hold()
