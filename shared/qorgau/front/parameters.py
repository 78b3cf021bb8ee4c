"""Query parameters that a route does not know are refused: a misspelt filter would show everything, and mislead."""

from typing import Any

from starlette.requests import Request

from qorgau.errors import UnknownParameter


async def known_parameters(request: Request) -> None:
    """The dependency of every route of a group; raises UnknownParameter."""
    given = request.query_params.keys()
    if not given:
        return
    known = _names(request.scope["route"])
    if not known.issuperset(given):
        names = ", ".join(f"`{name}`" for name in sorted(known))
        words = f"This address takes {names} and no other query parameter." if names else "This address takes none."
        raise UnknownParameter(words)


def _names(route: Any) -> frozenset[str]:
    """What the route and everything it depends on read of a query."""
    found: set[str] = set()
    left = [route.dependant]
    while left:
        one = left.pop()
        found.update(field.alias for field in one.query_params)
        left += one.dependencies
    return frozenset(found)
