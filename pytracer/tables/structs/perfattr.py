"""struct perf_event_attr: what a performance event is to count.

Source: include/uapi/linux/perf_event.h, Linux 7.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, Fetch, From, Length, Phase, Planning
from pytracer.spec.pointer import Pointee
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number, Scalar
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import (
    Address,
    Base,
    Changed,
    Integer,
    Joined,
    Noted,
    Phrase,
    Struct,
    Symbol,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import perf as p
from pytracer.tables.constants.times import CLOCKS

LEAST = 64  # PERF_ATTR_SIZE_VER0
_BRIEF = 48  # as far as the bits: what is read where structures are abbreviated
_SIZE_AT = 4
_E2BIG = -7  # include/uapi/asm-generic/errno-base.h
_SKID = ("arbitrary skid", "constant skid", "requested to have 0 skid", "must have 0 skid")

_U32, _U64, _X64 = Number("uint"), Number("u64"), Hex("u64")
_LAYOUT: dict[str, Type] = {
    "type": Enum(p.PERF_TYPES),
    "size": Enum(p.PERF_ATTR_SIZES),
    "config": _X64,
    "sample_period": _U64,
    "sample_type": FlagSet(p.PERF_SAMPLE_FORMAT, "u64"),
    "read_format": FlagSet(p.PERF_READ_FORMAT, "u64"),
    "bits": _U64,
    "wakeup_events": _U32,
    "bp_type": _U32,
    "config1": _X64,
    "config2": _X64,
    "branch_sample_type": FlagSet(p.PERF_BRANCH_SAMPLE, "u64"),
    "sample_regs_user": _X64,
    "sample_stack_user": Hex("uint"),
    "clockid": Enum(CLOCKS, "int"),
    "sample_regs_intr": _X64,
    "aux_watermark": _U32,
    "sample_max_stack": Number("ushort"),
    "__reserved_2": Hex("ushort"),
    "aux_sample_size": _U32,
    "aux_action": _U32,
    "sig_data": _X64,
    "config3": _X64,
}
_BITS = tuple(
    """
    disabled inherit pinned exclusive exclude_user exclude_kernel exclude_hv exclude_idle mmap
    comm freq inherit_stat enable_on_exec task watermark precise_ip - mmap_data sample_id_all
    exclude_host exclude_guest exclude_callchain_kernel exclude_callchain_user mmap2 comm_exec
    use_clockid context_switch write_backward namespaces ksymbol bpf_event aux_output cgroup
    text_poke build_id inherit_thread remove_on_exec sigtrap
    """.split()  # noqa: SIM905
)
_FREQ, _WATERMARK, _PRECISE, _CLOCK = (
    _BITS.index(name) for name in ("freq", "watermark", "precise_ip", "use_clockid")
)
_AUX_ACTIONS = ("aux_start_paused", "aux_pause", "aux_resume")


def _shifted(number: Value, bits: int) -> Value:
    return Joined((number, Integer(bits)), "<<")


def _named(xlat: Xlat, number: int) -> Value:
    return Symbol(number, xlat.name_of(number), xlat.unknown)


def _hardware(config: int) -> Value:
    event = _named(p.PERF_HW_IDS, config & 0xFFFFFFFF)
    if not config >> 32:
        return event
    return Joined((_shifted(Integer(config >> 32, Base.HEX), 32), event))


def _cache(config: int) -> Value:
    parts: list[Value] = []
    if config >> 32:
        parts.append(_shifted(Integer(config >> 32, Base.HEX), 32))
    if config >> 24 & 0xFF:
        parts.append(_shifted(Integer(config >> 24 & 0xFF, Base.HEX), 24))
    parts.append(_shifted(_named(p.PERF_CACHE_RESULTS, config >> 16 & 0xFF), 16))
    parts.append(_shifted(_named(p.PERF_CACHE_OPS, config >> 8 & 0xFF), 8))
    parts.append(_named(p.PERF_CACHE_IDS, config & 0xFF))
    return Joined(tuple(parts))


_CONFIGS: dict[int, Callable[[int], Value]] = {
    p.PERF_TYPE_HARDWARE: _hardware,
    p.PERF_TYPE_SOFTWARE: lambda config: _named(p.PERF_SW_IDS, config),
    p.PERF_TYPE_TRACEPOINT: Integer,
    p.PERF_TYPE_HW_CACHE: _cache,
}


class _Fields:
    """One structure's fields, as numbers and as values, and those to be shown so far."""

    def __init__(self, raw: dict[str, int], size: int, starts: dict[str, int]) -> None:
        self.raw = raw
        self.size = size
        self.starts = starts
        self.shown: list[tuple[str, Value]] = []

    def add(self, name: str, value: Value) -> None:
        """Show a field."""
        self.shown.append((name, value))

    def own(self, name: str, title: str = "") -> None:
        """Show a field as its type says, perhaps under another name."""
        kind = _LAYOUT[name]
        assert isinstance(kind, Scalar)
        self.shown.append((title or name, kind.make(self.raw[name])))

    def has(self, name: str) -> bool:
        """Whether the caller's structure reaches to this field."""
        return self.starts[name] < self.size


def _bit_fields(fields: _Fields, brief: bool) -> None:
    bits = fields.raw["bits"]
    for place, name in enumerate(_BITS):
        if place == _PRECISE:
            skid = bits >> place & 3
            fields.add(name, Noted(Integer(skid), _SKID[skid]))
        elif name != "-" and (bits >> place & 1 or not brief):
            fields.add(name, Integer(bits >> place & 1))
    rest = bits >> len(_BITS)
    if rest:
        fields.add("__reserved_1", Noted(Integer(rest, Base.HEX), f"Bits 63..{len(_BITS)}"))


def _noted_last(fields: _Fields, note: str) -> None:
    name, value = fields.shown[-1]
    fields.shown[-1] = name, Noted(value, note)


def _breakpoint_type(number: int) -> Value:
    known = p.HW_BREAKPOINT_X | p.HW_BREAKPOINT_RW
    unknown = "HW_BREAKPOINT_INVALID" if number <= known else "HW_BREAKPOINT_???"
    return Symbol(number, p.BREAKPOINT_TYPES.name_of(number), unknown)


def _rest(fields: _Fields) -> None:
    """The fields that are only shown where nothing is abbreviated."""
    raw = fields.raw
    bits = raw["bits"]
    stops = raw["type"] == p.PERF_TYPE_BREAKPOINT
    fields.own("wakeup_events", "wakeup_watermark" if bits >> _WATERMARK & 1 else "")
    if stops:
        fields.add("bp_type", _breakpoint_type(raw["bp_type"]))
    fields.own("config1", "bp_addr" if stops else "")
    if not fields.has("config2"):
        return
    if stops:
        fields.add("bp_len", Integer(raw["config2"]))
    else:
        fields.own("config2")
    if fields.has("branch_sample_type") and raw["sample_type"] & p.PERF_SAMPLE_BRANCH_STACK:
        fields.own("branch_sample_type")
    if fields.has("sample_regs_user"):
        fields.own("sample_regs_user")
    if fields.has("sample_stack_user") and raw["sample_type"] & p.PERF_SAMPLE_STACK_USER:
        fields.own("sample_stack_user")
    if fields.has("clockid") and bits >> _CLOCK & 1:
        fields.own("clockid")
    for name in ("sample_regs_intr", "aux_watermark", "sample_max_stack"):
        if fields.has(name):
            fields.own(name)
    if fields.has("__reserved_2") and raw["__reserved_2"]:
        _noted_last(fields, f"bytes 110..111: {raw['__reserved_2']:#x}")
    if not fields.has("aux_sample_size"):
        return
    fields.own("aux_sample_size")
    if fields.has("aux_action"):
        action = raw["aux_action"]
        for place, name in enumerate(_AUX_ACTIONS):
            fields.add(name, Integer(action >> place & 1))
        if action >> len(_AUX_ACTIONS):
            _noted_last(fields, f"bytes 116..119: {action >> len(_AUX_ACTIONS):#x}")
    for name in ("sig_data", "config3"):
        if fields.has(name):
            fields.own(name)


class PerfAttr(Pointee):
    """The structure as it was at the entry, with the size that the kernel knows if it refused it.

    It is shown when the call has returned; as an address where it is too small or unreadable.
    """

    def bind(self, scope: Scope) -> Decode:
        layout = StructOf(None, None, **_LAYOUT)
        placed, whole, _ = layout.place(scope.abi)
        starts = {field.name: field.offset for field in placed}
        sizes = {field.name: field.size for field in placed}
        signed = {field.name: field.code.islower() for field in placed}

        def parse(data: bytes, size: int) -> _Fields:
            data = data.ljust(whole, b"\0")
            raw = {
                name: int.from_bytes(
                    data[start : start + sizes[name]], "little", signed=signed[name]
                )
                for name, start in starts.items()
            }
            return _Fields(raw, size, starts)

        def enter(ctx: Context, raw: int) -> Any:
            head = ctx.memory.read(raw + _SIZE_AT, 4)
            if not isinstance(head, bytes):
                return Address(raw)
            size = min(int.from_bytes(head, "little"), whole) or LEAST
            if size < LEAST:
                return Address(raw)
            if not ctx.whole:
                size = _BRIEF
            data = ctx.memory.read(raw, size)
            if not isinstance(data, bytes):
                return Address(raw)
            ctx.saved[PerfAttr] = parse(data, size)
            return LATER

        def show(ctx: Context, raw: int, fields: _Fields) -> Value:
            numbers = fields.raw
            kind = numbers["type"]
            fields.own("type")
            size = _named(p.PERF_ATTR_SIZES, numbers["size"])
            if ctx.ret == _E2BIG:
                wanted = ctx.memory.read(raw + _SIZE_AT, 4)
                after: Value = Phrase("???")
                if isinstance(wanted, bytes):
                    after = _named(p.PERF_ATTR_SIZES, int.from_bytes(wanted, "little"))
                size = Changed(size, after)
            fields.add("size", size)
            config = _CONFIGS.get(kind)
            if config is not None:
                fields.add("config", config(numbers["config"]))
            else:
                fields.own("config")
            fields.own("sample_period", "sample_freq" if numbers["bits"] >> _FREQ & 1 else "")
            fields.own("sample_type")
            fields.own("read_format")
            _bit_fields(fields, not ctx.whole)
            if ctx.whole:
                _rest(fields)
            more = numbers["size"] > fields.size if numbers["size"] else fields.size < LEAST
            return Struct(tuple(fields.shown), raw, more=more)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            return show(ctx, raw, ctx.saved[PerfAttr]) if ctx.exiting else enter(ctx, raw)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        whole = StructOf(None, None, **_LAYOUT).measure(planning.abi)[0]
        size = whole if planning.whole else _BRIEF
        before = Fetch(at, Phase.ENTRY, Length(From.CONST, size), size)
        after = Fetch(at, Phase.EXIT, Length(From.CONST, 8), 8, always=True)
        return (before, after)
