"""Python's search for garbage, while events by the hundred thousand come and go."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def rare_collections() -> Iterator[None]:
    """Have Python look for cycles rarely.

    A turn holds many thousands of objects, none of them in a cycle: looking at all of them over
    and over took a third of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
