"""Where the files are that travel with the program: a checkout's own copy first, otherwise the wheel's package data."""

from importlib.resources import files
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]


def kafka_jars() -> Path:
    """The list of the artifacts Apache Kafka needs, a coordinate and its SHA-256 a line."""
    return _bundled("deploy/embedded/kafka-jars.txt", "kafka-jars.txt")


def default_policy() -> Path:
    """The rules that are in force when nothing else is configured."""
    return _bundled("policies/kz.yaml", "policies/kz.yaml")


def default_retention() -> Path:
    """How long the vault keeps what when nothing else is configured."""
    return _bundled("policies/retention.yaml", "policies/retention.yaml")


def default_titles() -> Path:
    """What rules, flags, facts and codes are called in the languages of those who read them."""
    return _bundled("policies/titles.yaml", "policies/titles.yaml")


def default_feeds() -> Path:
    """How long feeds may be silent when nothing else is configured."""
    return _bundled("policies/feeds.yaml", "policies/feeds.yaml")


def _bundled(in_checkout: str, in_package: str) -> Path:
    # A site-packages folder has no pyproject.toml three levels up, so an unrelated file is never taken for ours.
    if (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / in_checkout).is_file():
        return CHECKOUT / in_checkout
    return Path(str(files("qorgau") / "data" / in_package))
