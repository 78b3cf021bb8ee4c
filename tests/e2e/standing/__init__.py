"""One system whose clock stands before the first fact until a test sets it on; stopped behind the last file."""
