"""Numbers for those who answer for it: what a case adds to them, how they are summed, and which of them are shown."""
