"""What anything that cannot be started says: one kind of error for settings, clocks, ports and servers."""


class StartRefused(Exception):
    """Something could not be started; the message says what happened and what to do next, and repeats no secret."""
