"""One frame of a stack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a function was left for the one before it, or a remark in its place.

    ``file``: what is mapped there; ``address`` in it. ``function``: None where none is known,
    which was left ``offset`` bytes behind its beginning. ``remark``: why there are no more frames;
    nothing else counts then, but for the ``address`` where there is one.
    """

    file: str
    function: str | None
    offset: int
    address: int
    remark: str = ""
