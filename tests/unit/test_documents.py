"""The documents: links lead somewhere, lists agree with facts.md and the policy, nothing names a foreign machine."""

import fnmatch
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import police_dispatch.domain
from qorgau.front.door import Door, Sender
from qorgau.instants import parse_instant
from qorgau.vocabulary import FACT_TYPES, SERVICES, facts_topic

ROOT = Path(__file__).parents[2]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "policies/kz.yaml").read_text(encoding="utf-8"))
POLICY: dict[str, Any] = FILE["policy"]
RULES: list[dict[str, Any]] = [*FILE["rules"], *FILE["flags"]]
BASIS = {
    "statutory": "statutory",
    "statutory_unverified": "statutory, unverified",
    "good_practice": "good practice",
}
README = (ROOT / "README.md").read_text(encoding="utf-8")
# The texts of others, as they are.
FOREIGN = {
    "LICENSE",
    *("tests/schemas/compose-spec.json", "tests/schemas/LICENSE.compose-spec"),
    *("tests/schemas/asyncapi-3.0.0.json", "tests/schemas/LICENSE.asyncapi"),
}
# Written so that this file does not match itself.
MACHINE = re.compile(r"(?<![\w.$})-])/(?:work|farm|root)/|/home/[a-z]|[.]pyenv/")
REGISTRY = re.compile(r"py(?:pi|thonhosted)[.]org|npmjs[.](?:com|org)|repo\d?[.]maven[.]|[.]maven[.]org|crates[.]io")


def ignored() -> list[str]:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    return [".git", *(line.strip("/") for line in lines if line and not line.startswith("#"))]


def files() -> Iterator[Path]:
    """What is in the repository or about to be; without asking git, which need not be installed."""
    patterns = ignored()
    for folder, below, names in os.walk(ROOT):
        for listed in (below, names):
            listed[:] = [name for name in listed if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]
        yield from (Path(folder, name) for name in names)


FILES = sorted(files())
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(path.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level; empty where there is none."""
    found = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def service_readme(service: str) -> str:
    return (ROOT / "services" / service / "README.md").read_text(encoding="utf-8")


def own_types(service: str) -> list[str]:
    return [name for name, known in FACT_TYPES.items() if service in known.services]


def first_cells(table: str) -> list[str]:
    return [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")][1:]


def words(value: object) -> Iterator[str]:
    """Every text that stands as a value anywhere in a rule."""
    if isinstance(value, dict):
        for below in value.values():
            yield from words(below)
    elif isinstance(value, list):
        for below in value:
            yield from words(below)
    elif isinstance(value, str):
        yield value


def read_types(service: str) -> set[str]:
    """The fact types that a service's rules read: named in them, or behind `case_risk`, an order, the end of a case."""
    rules = [rule for rule in RULES if rule["service"] == service]
    named = set(words(rules)) & FACT_TYPES.keys()
    risk = {POLICY["risk_state"]["fact"]} if "case_risk" in json.dumps(rules, default=str) else set()
    term = POLICY["order_term"]
    orders = {term["begins"], term["extended_by"]["fact"], *term["ended_by"]}
    by_order = orders if any(rule.get("kind") in ("condition", "gap") for rule in rules) else set()
    return named | risk | by_order | set(POLICY["case_end"].values()) if rules else set()


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))


def terms(rule: dict[str, Any]) -> set[str]:
    """The numbers that are the term of a rule: how long, how often, how many."""
    keys = ("within", "cases", "count", "at_least", "in_last", "windows", "after")
    return numbers(" ".join(str(rule[key]) for key in keys if key in rule))


def test_the_documents_are_found() -> None:
    found = {name_of(path) for path in DOCUMENTS}
    assert {"README.md", "docs/design.md", "docs/domain/facts.md", "services/notifier/README.md"} <= found
    assert not any(name.startswith(".venv") for name in found)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(path.read_text(encoding="utf-8"))):
        if re.match(r"https?://|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        aim = (path.parent / file).resolve() if file else path
        assert aim.is_relative_to(ROOT), target
        assert aim.exists(), target
        assert not anchor or anchor in anchors(aim), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_no_document_names_a_file_that_is_not_there(path: Path) -> None:
    known = {file.name for file in FILES}
    text = re.sub(r"https?://\S+", "", path.read_text(encoding="utf-8"))
    for name in re.findall(r"(?<![\w*./-])[a-z0-9.][\w./-]*\.(?:md|ya?ml|lock|toml)\b", text):
        assert name.rpartition("/")[2] in known, name


def test_every_decision_is_listed_and_has_its_three_parts() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    records = sorted((ROOT / "docs/adr").glob("0*.md"))
    assert len(records) >= 5
    for path in records:
        assert f"({path.name})" in listed
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["Context", "Choice", "Consequences"]
        assert text.startswith(f"# {int(path.name[:4])}. ")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_lists_the_facts_that_are_its_own(service: str) -> None:
    cells = first_cells(section(service_readme(service), "Facts in"))
    assert sorted(re.findall(r"`([a-z_.]+)`", "".join(cells))) == sorted(own_types(service))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_lists_the_foreign_facts_its_rules_read(service: str) -> None:
    listed = re.findall(r"`([a-z]+\.[a-z_]+)`", section(service_readme(service), "Facts it follows"))
    assert {name for name in listed if name in FACT_TYPES} == read_types(service) - set(own_types(service))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_lists_its_rules_as_the_policy_has_them(service: str) -> None:
    rows = [line for line in section(service_readme(service), "Rules it owns").splitlines() if line.startswith("| ")]
    listed = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[1:]]
    assert [(name, title, numbers(term), *rest) for name, title, term, *rest in listed] == [
        (rule["id"], rule["title"], terms(rule), rule["severity"], BASIS[rule["basis"]])
        for rule in RULES
        if rule["service"] == service
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_names_its_topic_and_its_start(service: str) -> None:
    text = service_readme(service)
    assert f"`python -m {service.replace('-', '_')}.main`" in text
    assert own_types(service) == [] or f"`{facts_topic(service)}`" in text


def routes(service: str) -> set[str]:
    """The routes of a service as its own document (made of the code) has them, as `METHOD /path`."""
    text = (ROOT / f"docs/api/{service}.openapi.json").read_text(encoding="utf-8")
    paths = json.loads(text)["paths"].items()
    return {f"{method.upper()} {path}" for path, operations in paths for method in operations}


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_is_documented_and_every_documented_route_is_there(service: str) -> None:
    told = set(re.findall(r"`([A-Z]+ /[^`]+)`", section(service_readme(service), "Endpoints")))
    assert {"GET /healthz", "GET /metrics"} <= told
    assert told == routes(service) | {"GET /openapi.json"}


def test_the_readme_gives_each_service_its_rules() -> None:
    for service in SERVICES:
        row = next(line for line in README.splitlines() if line.startswith(f"| [{service}]"))
        listed: set[str] = set()
        for kind, first, last in re.findall(r"([PTF])(\d+)(?:-P(\d+))?", row.rpartition("](")[2]):
            width = len(first)
            listed |= {f"{kind}{number:0{width}}" for number in range(int(first), int(last or first) + 1)}
        assert listed == {rule["id"] for rule in RULES if rule["service"] == service}


def test_the_fact_of_the_readme_passes_the_door() -> None:
    found = re.search(r"-d '(\{.*?\})'\n", README, flags=re.DOTALL)
    assert found
    event = json.loads(found[1])
    models = police_dispatch.domain.FACTS
    regions = frozenset(POLICY["zones"]["regions"])
    door = Door("police-dispatch", models, regions, lambda: parse_instant(event["time"]), reference_key="")
    admitted = door.admit(event, Sender("*", frozenset({"facts:write", "facts:backfill"}), frozenset({"*"})))
    assert (admitted.fact.id, admitted.fact.case) == (event["id"], event["subject"])


@pytest.mark.parametrize("path", [path for path in FILES if name_of(path) not in FOREIGN], ids=name_of)
def test_no_file_names_a_registry_or_a_place_on_somebody_s_machine(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", errors="replace")
    assert not MACHINE.search(text)
    assert not REGISTRY.search(text)


NAMED = ["in /ro" + "ot/x", '"/wo' + 'rk/main"', "py" + "pi.org", "files.python" + "hosted.org", "repo1.mav" + "en.org"]


@pytest.mark.parametrize("text", NAMED)
def test_such_a_name_would_be_noticed(text: str) -> None:
    assert MACHINE.search(text) or REGISTRY.search(text)


@pytest.mark.parametrize("text", ["docs/wo" + "rk/x", "$HOME/ro" + "ot/", "a package from PyPI"])
def test_other_words_are_left_alone(text: str) -> None:
    assert not MACHINE.search(text)
    assert not REGISTRY.search(text)


def test_the_licence_is_the_whole_text() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\nEUPL \u00a9 the European Union 2007, 2016\n")
    assert re.findall(r"^(\d+)\.", text, flags=re.MULTILINE) == [str(article) for article in range(1, 16)]
    assert "\u2018Compatible Licences\u2019 according to Article 5 EUPL are:" in text
    last = "All other changes or additions to this Appendix require the production of a new EUPL version."
    assert text.endswith(f"\n{last}\n")
