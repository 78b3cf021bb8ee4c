"""One system in real time for everything that is asked of a running one; stopped behind the last file."""
