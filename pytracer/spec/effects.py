"""What successful calls do to a process's descriptors, for whoever keeps track of them.

Arguments are named as in the description.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Opens:
    """The result is a new descriptor.

    ``named_by``: the argument with its path, which starts from the descriptor ``at`` where the
    call has one. ``copy_of``: the argument that it is a copy of.
    """

    named_by: str | None = None
    at: str | None = None
    copy_of: str | None = None


@dataclass(frozen=True, slots=True)
class Closes:
    """The descriptor ``first`` is gone, and those up to ``last``, if there is one."""

    first: str
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Moves:
    """The working directory is another one: ``to`` is its path or a descriptor."""

    to: str


Effect: TypeAlias = Opens | Closes | Moves
