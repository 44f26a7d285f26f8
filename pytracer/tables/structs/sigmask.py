"""A signal mask and its size, which pselect6 and io_pgetevents pass in one argument."""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.pointer import In
from pytracer.spec.scalar import Number
from pytracer.tables.structs.signal import SigSetAt

MASK_AND_SIZE = In(StructOf(sigmask=SigSetAt("sigsetsize"), sigsetsize=Number("ulong")))
