"""Our own standard descriptors: there from the beginning, the program's alone once it runs."""

from __future__ import annotations

import os


def protect_standard_descriptors() -> None:
    """Open those of 0, 1 and 2 that are closed, lest a file of ours takes their place."""
    while True:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd > 2:
            os.close(fd)
            return
        os.set_inheritable(fd, False)


def release_standard_descriptors() -> None:
    """Let go of our own standard input and output: the program alone shall hold them.

    Otherwise a pipe would seem to have a reader although the program has closed it.
    """
    fd = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(fd, number, inheritable=False)
    if fd > 2:
        os.close(fd)
