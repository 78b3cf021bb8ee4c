"""The live view of a running system in a terminal: what is open, what is late and since when, how fast it works.

It reads the public endpoints only (`/readyz`, `/metrics`, `GET /v1/flags`) and shows it when a service is away.
"""

from qorgau.watch.live import watch
from qorgau.watch.screen import line, screen
from qorgau.watch.view import Look, View, view_of

__all__ = ["Look", "View", "line", "screen", "view_of", "watch"]
