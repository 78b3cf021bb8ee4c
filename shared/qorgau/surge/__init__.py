"""Reports above what is usual, and tables that may be published; pure: no I/O, no clock (docs/statistics.md)."""
