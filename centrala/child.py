"""For processes that the application starts: none outlives it."""

import ctypes
import os
import signal
from contextlib import suppress

_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> bool:
    """Be killed when the parent, whose id was asked for first of all, ends (prctl(2)). False: it has ended already."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent
