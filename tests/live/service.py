"""A service for the tests of units: it forks workers, and keeps a record of what each has done.

    service.py RECORD

Each process makes a prime number of calls that nobody else makes, and then adds its pid and that
number to the record. Then the service waits: for SIGTERM, or for SIGUSR1, to fail.
"""

from __future__ import annotations

import os
import signal
import sys


def work(record: int, count: int) -> None:
    """Make calls, and say how many."""
    for _ in range(count):
        os.sched_get_priority_max(0)
    os.write(record, f"{os.getpid()} {count}\n".encode())


def main() -> None:
    """Be the service."""
    signal.signal(signal.SIGUSR1, lambda signo, frame: os._exit(1))
    record = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    work(record, 7)
    for count in (5, 11):
        pid = os.fork()
        if not pid:
            work(record, count)
            inner = os.fork()
            if not inner:
                work(record, 3)
                os._exit(0)
            os.waitpid(inner, 0)
            os._exit(0)
        os.waitpid(pid, 0)
    os.write(record, f"{os.getpid()} ready\n".encode())
    while True:
        signal.pause()


main()
