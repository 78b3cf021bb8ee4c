"""What is different for intake: its name and the port it listens on unless told otherwise."""

from typing import ClassVar

from qorgau.settings import Port
from qorgau.settings import Settings as Common
from qorgau.vocabulary import INTAKE


class Settings(Common):
    """The settings of intake."""

    service: ClassVar[str] = INTAKE

    port: Port = 8101
