"""The feeds of agencies: whether they speak, and what is not known to be late while they do not."""
