"""Limits on resources."""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Decode
from pytracer.spec.scalar import Scalar, remembered
from pytracer.spec.type import Scope
from pytracer.spec.values import Base, Integer, Noted, Value


class Limit(Scalar):
    """A limit: as a multiple of 1024 where it is one, infinity where all its bits are set."""

    def bind(self, scope: Scope) -> Decode:
        size = self.measure(scope.abi)[0]
        number = self.number(scope.abi)
        return remembered(lambda raw: _limit(number(raw), size))


def _limit(number: int, size: int) -> Value:
    shown = Integer(number, Base.DEC)
    if number == (1 << 8 * size) - 1:
        return Noted(shown, "RLIM64_INFINITY" if size == 8 else "RLIM_INFINITY", instead=True)
    if number > 1024 and not number % 1024:
        return Noted(shown, f"{number // 1024}*1024", instead=True)
    return shown


RLIMIT64 = StructOf(rlim_cur=Limit("u64"), rlim_max=Limit("u64"))
RLIMIT = StructOf(rlim_cur=Limit("kulong"), rlim_max=Limit("kulong"))
