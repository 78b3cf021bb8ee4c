"""How fast it is, as ratios of two sides measured in the same run; nothing is asserted. `python -m benchmarks`."""
