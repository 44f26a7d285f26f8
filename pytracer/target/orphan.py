"""The tracer as an orphan, so that the program is its caller's own child (-D)."""

from __future__ import annotations

import os

_NEW_PROCESS_GROUP = 2
_NEW_SESSION = 3


def fork_orphan(daemon: int) -> bool:
    """Fork a process whose parent is gone; true in it. ``daemon``: how often -D was given.

    The caller has no child left of it afterwards: the program must not find one.

    Errors: OSError when there can be no process.
    """
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        return False
    try:
        if os.fork():
            os._exit(0)
    except OSError:
        os._exit(1)
    if daemon == _NEW_PROCESS_GROUP:
        os.setpgid(0, 0)
    elif daemon >= _NEW_SESSION:
        os.setsid()
    return True
