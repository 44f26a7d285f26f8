"""Requests of performance events.

Source: include/uapi/linux/perf_event.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import ArrayOf, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.exchange import Completed
from pytracer.spec.pointer import Cstr, In, Out
from pytracer.spec.scalar import Fd, FlagSet, Int, Number, Size, UInt
from pytracer.spec.trailing import Trailing
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Struct
from pytracer.tables.constants.perf import PERF_IOC_FLAGS
from pytracer.tables.structs.perfattr import PerfAttr

WIDE = Number("u64")


class _Programs(Completed):
    """The programs that are attached to an event; none are told if the call failed."""

    def bind(self, scope: Scope) -> Decode:
        decode_both = super().bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            value = decode_both(ctx, raw, frame)
            if ctx.exiting and ctx.failed and isinstance(value, Struct):
                return Struct(value.fields, value.address, more=True)
            return value

        return decode


REQUESTS: dict[str, Type] = {
    **dict.fromkeys(
        ("PERF_EVENT_IOC_ENABLE", "PERF_EVENT_IOC_DISABLE", "PERF_EVENT_IOC_RESET"),
        FlagSet(PERF_IOC_FLAGS),
    ),
    "PERF_EVENT_IOC_REFRESH": Int(),
    "PERF_EVENT_IOC_PERIOD": In(WIDE),
    **dict.fromkeys(("PERF_EVENT_IOC_SET_OUTPUT", "PERF_EVENT_IOC_SET_BPF"), Fd()),
    "PERF_EVENT_IOC_PAUSE_OUTPUT": Size(),
    "PERF_EVENT_IOC_SET_FILTER": Cstr(),
    "PERF_EVENT_IOC_ID": Out(WIDE),
    "PERF_EVENT_IOC_MODIFY_ATTRIBUTES": PerfAttr(),
    "PERF_EVENT_IOC_QUERY_BPF": _Programs(
        StructOf(ids_len=UInt()),
        Trailing(StructOf(asked=Pad(4), prog_cnt=UInt()), "ids", ArrayOf(UInt(), "prog_cnt")),
    ),
}
