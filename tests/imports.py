"""What the tests of imports share: a key, the doors of the services, and messages with a change in one place."""

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import court_tracker.domain
import police_dispatch.domain
from qorgau.facts import Fact
from qorgau.importing.fields import Standard, Translator
from qorgau.importing.making import Made, Record
from qorgau.importing.mapping import read_map
from qorgau.importing.maps import MessageMap

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs/examples"
KEY = "a key of the tests that is long enough"
RECEIVED = 1_770_000_000_000_000
_MODELS = {**police_dispatch.domain.FACTS, **court_tracker.domain.FACTS}


def admitted(facts: Iterable[Fact]) -> list[str]:
    """The types of facts, each of which the model of the service that owns it accepts from its source."""
    types = []
    for fact in facts:
        model = _MODELS[fact.type]
        model.model_validate(dict(fact.data))
        assert fact.source.partition("/")[0] in model.posted_by
        assert (fact.case is None) is bool(model.context)
        types.append(fact.type)
    return types


def example_map(standard: Standard) -> MessageMap:
    """The map of the examples."""
    text = (EXAMPLES / f"{standard.name}-map.yaml").read_text(encoding="utf-8")
    return read_map(text, MessageMap, standard.asked_of_map)


def made_of(standard: Standard, message: Any, *, key: str = KEY, received: int = RECEIVED) -> Made:
    """What becomes of one message under the map of the examples, its facts checked by their models."""
    made = Translator(standard, example_map(standard), key).make(Record(1, 1, message, received=received))
    admitted(made.facts)
    return made


def changed(message: Mapping[str, Any], path: str, value: Any) -> Any:
    """A copy with another value at a path of names and places in lists, `/` between them; `...` takes it away."""
    other = copy.deepcopy(message)
    node: Any = other
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in way:
        node = node[step]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return other
