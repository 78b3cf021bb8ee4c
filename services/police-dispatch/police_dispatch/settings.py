"""What is different for police-dispatch: its name and the port it listens on unless told otherwise."""

from typing import ClassVar

from qorgau.settings import Port
from qorgau.settings import Settings as Common
from qorgau.vocabulary import POLICE


class Settings(Common):
    """The settings of police-dispatch."""

    service: ClassVar[str] = POLICE

    port: Port = 8102
