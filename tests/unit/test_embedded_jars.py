"""The artifacts of the embedded Kafka: what is listed, what is refused, and what people are told."""

import asyncio
import hashlib
import io
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from qorgau.embedded import data
from qorgau.embedded.jars import Download, Jar, cache_folder, class_path, fetch, read_list, with_jgo
from qorgau.embedded.process import StartRefused
from qorgau.embedded.progress import Lines, Silence

CONTENT = b"what the artifact is"
RIGHT = Jar("org.example.some:thing:1.2", hashlib.sha256(CONTENT).hexdigest())
AT_ONCE = timedelta()


class Shelf:
    """A repository that hands out one content after the other, the last one for ever; an error is raised."""

    def __init__(self, *contents: bytes | OSError) -> None:
        self.contents = list(contents)
        self.asked = 0

    def __call__(self, jar: Jar, into: Path) -> Path:
        content = self.contents[min(self.asked, len(self.contents) - 1)]
        self.asked += 1
        if isinstance(content, OSError):
            raise content
        file = into / "file.jar"
        file.write_bytes(content)
        return file


async def get(cache: Path, download: Download) -> tuple[Path, ...]:
    return await class_path([RIGHT], Silence(), cache=cache, download=download, pause=AT_ONCE)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_list_of_the_project_names_every_artifact_of_one_kafka_once() -> None:
    jars = read_list(data.kafka_jars())
    assert len(jars) == len({jar.path for jar in jars}) == 46
    assert {jar.coordinate.rsplit(":", 1)[1] for jar in jars if jar.coordinate.startswith("org.apache.kafka:")} == {
        "4.3.1"
    }


@pytest.mark.parametrize(
    "line", ["a:b " + "0" * 64, "a:b:c " + "0" * 63, "a:b:c " + "G" * 64, "a:b:c", "a:b:c:d " + "0" * 64]
)
def test_a_line_that_is_no_artifact_with_a_hash_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"# why\n\n{RIGHT.coordinate} {RIGHT.sha256}\n{line}\n", encoding="utf-8")
    with pytest.raises(StartRefused, match="line 4"):
        read_list(file)


async def test_what_is_in_the_cache_with_the_right_hash_is_not_fetched_again(tmp_path: Path) -> None:
    shelf = Shelf(CONTENT)
    first = await get(tmp_path, shelf)
    assert await get(tmp_path, shelf) == first == (tmp_path / RIGHT.path,)
    assert shelf.asked == 1


async def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    (path,) = await get(tmp_path, Shelf(CONTENT))
    path.write_bytes(b"damaged")
    await get(tmp_path, Shelf(CONTENT))
    assert path.read_bytes() == CONTENT


async def test_a_wrong_hash_once_is_fetched_again_and_twice_is_refused_and_kept_nowhere(tmp_path: Path) -> None:
    await get(tmp_path / "once", Shelf(b"cut sho", CONTENT))
    wrong = Shelf(b"something else")
    with pytest.raises(StartRefused, match=r"thing:1\.2 .* not used"):
        await get(tmp_path / "twice", wrong)
    assert wrong.asked == 2
    assert files(tmp_path / "twice") == []


async def test_a_line_that_breaks_is_tried_again(tmp_path: Path) -> None:
    shelf = Shelf(ConnectionResetError(), TimeoutError(), CONTENT)
    (path,) = await get(tmp_path, shelf)
    assert path.read_bytes() == CONTENT


async def test_a_repository_that_cannot_be_reached_is_said_with_what_to_do_next(tmp_path: Path) -> None:
    shelf = Shelf(ConnectionResetError())
    with pytest.raises(StartRefused) as refused:
        await get(tmp_path, shelf)
    for words in (RIGHT.coordinate, "could not be fetched", "network", "HTTPS_PROXY", "settings.xml", "QORGAU_KAFKA"):
        assert words in str(refused.value)
    assert shelf.asked == 3


async def test_a_cache_that_cannot_be_written_is_not_taken_for_a_network_that_is_down(tmp_path: Path) -> None:
    shelf = Shelf(OSError(28, "No space left on device"))
    with pytest.raises(StartRefused, match=r"No space left.*XDG_CACHE_HOME"):
        await get(tmp_path, shelf)
    assert shelf.asked == 1


async def test_a_repository_that_never_answers_meets_the_deadline(tmp_path: Path) -> None:
    never = threading.Event()

    def download(jar: Jar, into: Path) -> Path:
        never.wait(30)
        raise ConnectionResetError

    with pytest.raises(StartRefused, match="did not arrive"):
        await class_path([RIGHT], Silence(), cache=tmp_path, download=download, deadline=timedelta(milliseconds=50))
    never.set()


async def test_one_artifact_that_cannot_be_had_ends_the_wait_for_the_others(tmp_path: Path) -> None:
    jars = [Jar(f"org.example:part{number}:1", RIGHT.sha256) for number in range(40)]
    last = threading.Event()

    def download(jar: Jar, into: Path) -> Path:
        if jar is jars[0]:
            raise OSError(30, "Read-only file system")
        last.wait(30)
        return Shelf(CONTENT)(jar, into)

    with pytest.raises(StartRefused, match="Read-only"):
        await asyncio.wait_for(class_path(jars, Silence(), cache=tmp_path, download=download), 10)
    last.set()


async def test_without_a_terminal_the_first_download_says_in_plain_lines_how_far_it_is(tmp_path: Path) -> None:
    jars = [Jar(f"org.example:part{number}:1", RIGHT.sha256) for number in range(25)]
    out = io.StringIO()
    await class_path(jars, Lines(out), cache=tmp_path, download=lambda jar, into: Shelf(CONTENT)(jar, into))
    said = out.getvalue().splitlines()
    assert said[0].startswith("fetching 25 of the 25 artifacts")
    assert [line.split(" artifacts")[0] for line in said[1:]] == [f"fetched {done} of 25" for done in (0, 10, 20, 25)]
    out.truncate(0)
    await class_path(jars, Lines(out), cache=tmp_path, download=Shelf(b""))
    assert not out.getvalue()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[str]:
    """A Maven repository on loopback with the one artifact in it."""
    file = tmp_path / "repository" / RIGHT.path
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "repository"))) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of its own, and no settings of the machine."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "JGO_CONFIG_FILE", "M2_REPO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "home"


def write_settings(home: Path, mirror_of: str, url: str) -> None:
    (home / ".m2").mkdir(parents=True)
    (home / ".m2" / "settings.xml").write_text(
        '<settings xmlns="http://maven.'
        'apache.org/SETTINGS/1.2.0"><mirrors>'
        f"<mirror><id>near</id><mirrorOf>{mirror_of}</mirrorOf><url>{url}/</url></mirror></mirrors></settings>",
        encoding="utf-8",
    )


@pytest.mark.parametrize("mirror_of", ["central", "*", "external:*", "other, central"])
def test_jgo_fetches_from_the_mirror_that_mavens_settings_name(repository: str, home: Path, mirror_of: str) -> None:
    write_settings(home, mirror_of, repository)
    assert fetch(RIGHT, cache_folder(), with_jgo(), AT_ONCE) == len(CONTENT)
    assert files(home / ".cache") == [home / ".cache/qorgau/jars" / RIGHT.path]


def test_jgo_fetches_from_the_repositories_of_its_own_configuration(repository: str, home: Path) -> None:
    (home / ".config").mkdir(parents=True)
    (home / ".config" / "jgo.conf").write_text(f"[repositories]\ncentral = {repository}\n", encoding="utf-8")
    assert fetch(RIGHT, cache_folder(), with_jgo(), AT_ONCE) == len(CONTENT)


def test_an_artifact_that_the_repository_does_not_have_is_said(repository: str, home: Path) -> None:
    write_settings(home, "central", repository)
    other = Jar("org.example.some:other:1", RIGHT.sha256)
    with pytest.raises(StartRefused, match=r"some:other:1 could not be fetched .*central"):
        fetch(other, cache_folder(), with_jgo(), AT_ONCE)


def test_in_a_wheel_the_files_are_found_as_package_data(tmp_path: Path) -> None:
    project = tomllib.loads((data.CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    for source, target in project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"].items():
        for file in [data.CHECKOUT / source, *(data.CHECKOUT / source).glob("*")]:
            if file.is_file():
                copy = tmp_path / target / file.relative_to(data.CHECKOUT / source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())
    embedded = tmp_path / "qorgau" / "embedded"
    embedded.mkdir()
    for module in (embedded.parent / "__init__.py", embedded / "__init__.py"):
        module.write_text("", encoding="utf-8")
    (embedded / "data.py").write_bytes(Path(data.__file__).read_bytes())
    script = "import sys; sys.path.insert(0, sys.argv[1]); from qorgau.embedded.data import *;"
    script += "print(kafka_jars().read_text() + default_policy().read_text())"
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, tmp_path], capture_output=True, check=True, text=True
    )
    assert said.stdout == data.kafka_jars().read_text() + data.default_policy().read_text() + "\n"
