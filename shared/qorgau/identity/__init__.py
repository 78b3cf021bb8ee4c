"""Who speaks, and what it may do: tokens, the keys they are signed with, the one table of routes, parts of a case."""
