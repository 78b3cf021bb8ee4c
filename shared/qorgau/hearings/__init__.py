"""Hearings: how they stand, which of them a court that stops suspends, and what that costs. Pure."""
