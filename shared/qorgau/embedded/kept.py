"""What a data folder keeps from run to run beside the servers' own data: its keys, and where its clock stood."""

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from qorgau.clock import ClockSetting, parse_clock, read_clock, wall_ticks, write_clock
from qorgau.identity.issuer import Issuer
from qorgau.identity.tokens import KEY_BYTES
from qorgau.instants import DAY, format_instant, parse_instant
from qorgau.starting import StartRefused

# So much of the clock's time may be skipped after a kill -9; never does it go back.
BEAT = timedelta(seconds=1)
_BEAT = BEAT // timedelta(microseconds=1)
# Longer than any start: a clock is held by a wall time ahead, so that nothing is lost when the start is killed.
_HELD = timedelta(hours=1) // timedelta(microseconds=1)


def data_folder(*, season: bool, environment: Mapping[str, str] = os.environ) -> Path:
    """Where a run keeps its data unless told otherwise; a played season has a folder of its own, and its own time."""
    base = environment.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "qorgau" / ("season" if season else "own")


def private_folder(folder: Path) -> None:
    """Make the folder, for its owner alone: in it are keys and what the vault holds."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        words = f"{folder} cannot be made ({error.strerror}). Choose another folder with --data."
        raise StartRefused(words) from None


def issuer_of(folder: Path) -> Issuer:
    """The issuer of this folder, which makes its keys when it is prepared."""
    return Issuer(folder / "identity")


def token_key(folder: Path) -> str:
    """The key of this folder, made at the first start. Raises StartRefused where it is damaged.

    References are stored as digests under it, so a lost key loses them too: it is never replaced silently.
    """
    file = folder / "token-key"
    with suppress(FileExistsError):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as new:
            new.write(secrets.token_hex(KEY_BYTES))
            new.flush()
            os.fsync(new.fileno())
    key = file.read_text(encoding="ascii", errors="replace").strip()
    if len(key) < KEY_BYTES:
        raise StartRefused(
            f"{file} is damaged. Put it back from a copy; without one delete it, and register references again."
        )
    return key


@dataclass(frozen=True, slots=True)
class KeptClock:
    """The clock file of a data folder. Unless it shows real time, it stands still while nothing runs."""

    file: Path

    @property
    def _mark(self) -> Path:
        return self.file.with_name(self.file.name + ".stood")

    def hold(self, first: ClockSetting | None = None) -> None:
        """Set the file to where it stood, or to `first` in a folder that is new, and let it stand until `release`.

        Without `first` a new clock shows real time, which never stands still. With it, a clock of real time goes on
        from now at that pace.
        """
        wall = wall_ticks()
        setting = read_clock(self.file) if self.file.exists() else first or ClockSetting(wall, wall, 1)
        if not is_real(setting):
            write_clock(self.file, self._stood(setting), setting.factor, wall + _HELD)
        elif first is not None:
            write_clock(self.file, wall, first.factor, wall + _HELD)
        else:
            write_clock(self.file, setting.at, setting.factor, setting.wall)

    def release(self, after: timedelta = timedelta()) -> None:
        """Let it run from `after` on, unless somebody has set it meanwhile."""
        setting, wall = read_clock(self.file), wall_ticks() + after // timedelta(microseconds=1)
        if setting.wall > wall and not is_real(setting):
            write_clock(self.file, setting.at, setting.factor, wall)

    def beat(self) -> None:
        """Note where the clock stands, a beat ahead, for the case that this run is killed."""
        self._note(wall_ticks() + _BEAT)

    def stand(self) -> None:
        """Note where the clock stands when everything has stopped."""
        self._note(wall_ticks())

    def _note(self, wall: int) -> None:
        with suppress(StartRefused):  # a file somebody is writing just now, or has broken: the next beat is for it
            setting = read_clock(self.file)
            mark = {"clock": setting.content(), "at": format_instant(setting.instant(wall))}
            draft = self._mark.with_suffix(".new")
            draft.write_text(json.dumps(mark), encoding="utf-8")
            draft.replace(self._mark)

    def _stood(self, setting: ClockSetting) -> int:
        """Where it stood when it was last noted; a clock that was set since then begins where it was set to."""
        try:
            mark: Any = json.loads(self._mark.read_text(encoding="utf-8"))
            if parse_clock(json.dumps(mark["clock"])) == setting:
                return max(setting.at, parse_instant(mark["at"]))
        except (OSError, ValueError, TypeError, KeyError):
            pass
        return setting.at


def season_begins(folder: Path, clock: Path, first: int) -> int:
    """When the season of this folder begins: the day its clock shows when a season is played for the first time.

    `first` is midnight of some day.
    """
    file = folder / "season-begins"
    if not file.exists():
        at = read_clock(clock).instant(wall_ticks())
        file.write_text(format_instant(at - (at - first) % DAY), encoding="ascii")
    try:
        return parse_instant(file.read_text(encoding="ascii").strip())
    except ValueError:
        raise StartRefused(f"{file} is damaged. Delete it, and a season begins where the clock is now.") from None


def is_real(setting: ClockSetting) -> bool:
    """Whether the clock shows what the wall shows."""
    return setting.at == setting.wall and setting.factor == 1
