"""What BPF_LINK_CREATE is given: a member of its union for each way of attaching.

Source: include/uapi/linux/bpf.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import LAYOUTS, Layout
from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import Context
from pytracer.spec.pointer import Cstr, Path
from pytracer.spec.scalar import FlagSet, Number, Pid
from pytracer.spec.type import DecodeAt, NonZero, Scope, Type
from pytracer.spec.values import Value
from pytracer.spec.wide import Wide
from pytracer.tables.constants import bpf as b
from pytracer.tables.structs.bpfattr import ByAttachType, Form
from pytracer.tables.structs.bpfparts import (
    ATTACH_TYPE,
    FD,
    U32,
    X64,
    Relative,
)
from pytracer.tables.structs.netaddr import Interface


def _link(target: Type = FD, name: str = "target_fd", **union: Type) -> Form:
    """BPFLINK_CREATE with such a member of its union, which starts at the 17th byte."""
    layout = StructOf(
        None,
        None,
        prog_fd=FD,
        **{name: target},
        attach_type=ATTACH_TYPE,
        flags=FlagSet(b.BPF_LINK_FLAGS),
        **union,
    )
    return Relative(layout, tuple(union)[:1], "link_create")


_WORD64 = 8


class _Part(StructOf):
    """A structure of the union, aligned as its 64-bit members are."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        size, _, code = super().measure(abi)
        return size, _WORD64, code


class _Strings(ArrayOf):
    """Pointers to strings, as wide as the caller's."""

    def __init__(self, count: str) -> None:
        super().__init__(Cstr(), count)

    def bind_at(self, scope: Scope) -> DecodeAt:
        plain = super().bind_at
        bound = [plain(Scope(layout, scope.places, scope.call)) for layout in LAYOUTS]

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = bound[ctx.abi.index](ctx, address, frame)
            return value

        return decode_at


def _relative_link(title: str) -> Form:
    part = _Part(relative_fd=FD, expected_revision=X64)
    return _link(Interface(), "target_ifindex", **{title: part})


_COOKIES = Wide(ArrayOf(X64, "cnt"))
_TRACING = _link(tracing=_Part(target_btf_id=U32, cookie=X64))
LINK_CREATE = ByAttachType(
    _link(),
    {
        0: _link(target_btf_id=NonZero(U32)),
        b.BPF_TRACE_ITER: _link(
            iter_info=Wide(ArrayOf(StructOf(map=StructOf(map_fd=FD)), "iter_info_len")),
            iter_info_len=U32,
        ),
        b.BPF_PERF_EVENT: _link(perf_event=_Part(bpf_cookie=X64)),
        b.BPF_TRACE_KPROBE_MULTI: _link(
            kprobe_multi=_Part(
                flags=FlagSet(b.BPF_KPROBE_MULTI_FLAGS),
                cnt=U32,
                syms=Wide(_Strings("cnt")),
                addrs=Wide(ArrayOf(X64, "cnt")),
                cookies=_COOKIES,
            )
        ),
        b.BPF_NETFILTER: _link(
            netfilter=_Part(
                pf=U32,
                hooknum=U32,
                priority=Number("int"),
                flags=FlagSet(b.BPF_NETFILTER_FLAGS),
            )
        ),
        b.BPF_TCX_INGRESS: _relative_link("tcx"),
        b.BPF_TCX_EGRESS: _relative_link("tcx"),
        b.BPF_NETKIT_PRIMARY: _relative_link("netkit"),
        b.BPF_NETKIT_PEER: _relative_link("netkit"),
        b.BPF_TRACE_FENTRY: _TRACING,
        b.BPF_TRACE_FEXIT: _TRACING,
        b.BPF_TRACE_FSESSION: _TRACING,
        b.BPF_TRACE_UPROBE_MULTI: _link(
            uprobe_multi=_Part(
                path=Wide(Path()),
                offsets=Wide(ArrayOf(X64, "cnt")),
                ref_ctr_offsets=Wide(ArrayOf(X64, "cnt")),
                cookies=_COOKIES,
                cnt=U32,
                flags=FlagSet(b.BPF_UPROBE_MULTI_FLAGS),
                pid=Pid(),
                path_fd=FD,
            )
        ),
        b.BPF_TRACE_FSESSION_MULTI: _link(
            tracing_multi=_Part(ids=Wide(ArrayOf(U32, "cnt")), cookies=_COOKIES, cnt=U32)
        ),
    },
)
