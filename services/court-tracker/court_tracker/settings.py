"""What is different for court-tracker: its name and the port it listens on unless told otherwise."""

from typing import ClassVar

from qorgau.settings import Port
from qorgau.settings import Settings as Common
from qorgau.vocabulary import COURT


class Settings(Common):
    """The settings of court-tracker."""

    service: ClassVar[str] = COURT

    port: Port = 8103
