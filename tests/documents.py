"""The examples of a page of the documentation: what is printed under each command, and what it prints really."""

import json
import re
import shlex
from pathlib import Path

from tests.command_line import Shell

PRETTY = " | python3 -m json.tool"
# A line of three points stands for any lines.
LEFT_OUT = re.compile(r"^ *\.\.\.\n", re.MULTILINE)


def examples(page: Path, begins: str = "") -> list[tuple[str, str]]:
    """The commands of a page, or those that begin so, and what is printed under each."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = [re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:] for block in blocks]
    pairs = [(command, printed) for parts in found for command, printed in zip(parts[::2], parts[1::2], strict=True)]
    return [(command, printed) for command, printed in pairs if command.startswith(begins)]


def printed_by(shell: Shell, command: str) -> str:
    """What a command of a page prints; of `sed` and `export` only what the pages need."""
    if command.startswith("sed "):
        _, change, source, _, target = shlex.split(command)
        _, old, new, _ = change.split("/")
        text = Path(source).read_text(encoding="utf-8")
        assert old in text
        Path(target).write_text(text.replace(old, new), encoding="utf-8")
        return ""
    ended = shell.run(*shlex.split(command.removesuffix(PRETTY))[1:])
    if not command.endswith(PRETTY):
        return ended.out + ended.err
    return json.dumps(ended.rows[0], indent=4) + "\n"


def says(expected: str, printed: str) -> bool:
    """Whether a page says what was printed, where it does not leave out lines."""
    return re.fullmatch("(?:.*\n)+".join(re.escape(part) for part in LEFT_OUT.split(expected)), printed) is not None
