"""A court stops: what one fact about it means for every hearing that is listed there."""
