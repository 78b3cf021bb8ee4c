"""Becomes the command it is given, after asking Linux to kill it when the process that started it dies.

Run as `python -I -S leash.py PARENT COMMAND...`. So a killed `qorgau up` leaves nothing running, without a process that
wraps another and without code between fork and exec in a program that has threads. Elsewhere than on Linux it only
becomes the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            # The parent died before the leash was on.
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
