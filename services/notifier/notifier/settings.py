"""What is different for the notifier: its name, its port, and where the services are that explain flags."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from qorgau.settings import Port
from qorgau.settings import Settings as Common
from qorgau.vocabulary import NOTIFIER, SERVICES


def _owners(owners: dict[str, str]) -> dict[str, str]:
    if not owners.keys() <= set(SERVICES) or not all(
        url.startswith(("http://", "https://")) for url in owners.values()
    ):
        raise ValueError('it is {"NAME": URL, ...} with the names of services')
    return owners


class Settings(Common):
    """The settings of the notifier."""

    service: ClassVar[str] = NOTIFIER

    port: Port = 8104
    # As a reader reaches them, because it is sent there; a flag of a service that is not named is explained nowhere.
    owners: Annotated[dict[str, str], AfterValidator(_owners)] = Field(default_factory=dict)
