"""Whether domestic-violence calls wait longer than quarantine-regime calls, precinct by precinct (docs/parity.md)."""
