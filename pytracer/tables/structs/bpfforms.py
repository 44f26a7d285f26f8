"""What each of bpf's commands is given.

Source: include/uapi/linux/bpf.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import LAYOUTS, Layout
from pytracer.spec.aggregate import ArrayOf, Chars, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Bytes, Cstr, Path, Pointee
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Number, Pid, Scalar
from pytracer.spec.type import AnyBit, DecodeAt, NonZero, Scope, Type
from pytracer.spec.values import Address, Base, Function, Integer, Noted, Struct, Text, Value
from pytracer.spec.wide import Wide
from pytracer.tables.constants import bpf as b
from pytracer.tables.constants.memory import NUMA_NODES
from pytracer.tables.structs.bpfattr import Answered, Attr, Batch, ByAttachType, Form
from pytracer.tables.structs.ebpf import Program
from pytracer.tables.structs.futex import WideAddress
from pytracer.tables.structs.netaddr import Interface

NAME = 16  # BPF_OBJ_NAME_LEN
_TRACEPOINT_NAME = 128
U32, U64, X32, X64 = Number("uint"), Number("u64"), Hex(), Hex("u64")
FD, AT = Fd(), WideAddress()
ATTACH_TYPE = Enum(b.BPF_ATTACH_TYPES)
ATTACH_FLAGS = FlagSet(b.BPF_ATTACH_FLAGS)
FILE_FLAGS = FlagSet(b.BPF_FILE_MODES)
ELEMENT_FLAGS = FlagSet(b.BPF_LOOKUP_FLAGS, "u64")


class KernelVersion(Scalar):
    """A version of the kernel: KERNEL_VERSION(5, 10, 0)."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        parts = (number >> 16, number >> 8 & 0xFF, number & 0xFF)
        return Function("KERNEL_VERSION", tuple(map(Integer, parts)), Integer(number, Base.HEX))


class _Node(Scalar):
    """A memory node, always with its name if it has one."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        name = NUMA_NODES.name_of(number)
        return Noted(Integer(number), name) if name else Integer(number)


class Terminated(Pointee):
    """A string that ends with a NUL or with the room there is. ``room``: a sibling or a number."""

    def __init__(self, room: str | int) -> None:
        self.room = room

    def bind_at(self, scope: Scope) -> DecodeAt:
        room = scope.number(self.room)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            size = room(ctx, frame)
            if not address:
                return Address(0)
            if not size:
                return Text(b"", address=address)
            found = ctx.memory.read_cstr(address, min(size, ctx.string_bytes + 1))
            data = getattr(found, "data", None)
            if data is None:
                return Address(address)
            limit = ctx.string_bytes
            ended = getattr(found, "terminated", False)
            return Text(data[:limit], not ended or len(data) > limit, address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return Cstr().fetches_at(at, planning)


class Filled(Wide):
    """A pointer to what the kernel fills in; an address if the call failed."""

    def bind(self, scope: Scope) -> Decode:
        decode_at = self.inner.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            if ctx.failed or not ctx.exiting:
                return Address(raw)
            value: Value = decode_at(ctx, raw, frame)
            return value

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return super().fetches(at, planning) if planning.phase else ()


def _id(field: str, *points: str, **more: Type) -> Attr:
    return Attr(Form(StructOf(None, None, **{field: U32, "next_id": Pad(4, 4), **more}), points))


_IDS = ArrayOf(U32, "prog_cnt")
_MAP_CREATE = Form(
    StructOf(
        map_type=Enum(b.BPF_MAP_TYPES),
        key_size=U32,
        value_size=U32,
        max_entries=U32,
        map_flags=FlagSet(b.BPF_MAP_FLAGS),
        inner_map_fd=FD,
        numa_node=_Node().when(AnyBit("map_flags", b.BPF_F_NUMA_NODE)),
        map_name=Chars(NAME, whole=True),
        map_ifindex=Interface(),
        btf_fd=FD,
        btf_key_type_id=U32,
        btf_value_type_id=U32,
        btf_vmlinux_value_type_id=U32,
        map_extra=U64,
        value_type_btf_obj_fd=FD,
        map_token_fd=FD,
        excl_prog_hash=AT,
        excl_prog_hash_size=U32,
    ),
    (
        *("map_flags", "inner_map_fd", "numa_node", "map_name", "map_ifindex", "btf_fd"),
        *("btf_vmlinux_value_type_id", "map_extra", "value_type_btf_obj_fd", "excl_prog_hash"),
    ),
)
_PROG_LOAD = Form(
    StructOf(
        None,
        None,
        prog_type=Enum(b.BPF_PROG_TYPES),
        insn_cnt=U32,
        insns=Wide(Program("insn_cnt")),
        license=Wide(Cstr()),
        log_level=U32,
        log_size=U32,
        log_buf=Wide(Terminated("log_size")),
        kern_version=KernelVersion(),
        prog_flags=FlagSet(b.BPF_PROG_FLAGS),
        prog_name=Chars(NAME, whole=True),
        prog_ifindex=Interface(),
        expected_attach_type=ATTACH_TYPE,
        prog_btf_fd=FD,
        func_info_rec_size=U32,
        func_info=AT,
        func_info_cnt=U32,
        line_info_rec_size=U32,
        line_info=AT,
        line_info_cnt=U32,
        attach_btf_id=U32,
        attach_prog_fd=FD,
        core_relo_cnt=U32,
        fd_array=AT,
        core_relos=AT,
        core_relo_rec_size=U32,
        log_true_size=U32,
        prog_token_fd=FD,
        fd_array_cnt=U32,
        signature=AT,
        signature_size=U32,
        keyring_id=Number("int"),
    ),
    (
        *("log_level", "kern_version", "prog_flags", "prog_name", "prog_ifindex"),
        *("expected_attach_type", "prog_btf_fd", "attach_btf_id", "attach_prog_fd"),
        *("core_relo_cnt", "fd_array", "core_relos", "log_true_size", "prog_token_fd"),
        "signature",
    ),
)
_OBJECT = Attr(
    Form(StructOf(pathname=Wide(Path()), bpf_fd=FD, file_flags=FILE_FLAGS), ("file_flags",))
)


class _Relative(Form):
    """A form that names what it is relative to by a descriptor or, as flagged, by an id."""

    def fields(
        self, decode: Decode, ctx: Context, data: bytes, frame: tuple[Any, ...]
    ) -> dict[str, Value]:
        found = super().fields(decode, ctx, data, frame)
        if int.from_bytes(data[12:16], "little") & b.BPF_F_ID:
            return {_BY_ID.get(n, n): _by_id(v) for n, v in found.items()}
        return found


_BY_ID = {"relative_fd": "relative_id"}


def _by_id(value: Value) -> Value:
    if isinstance(value, Struct):
        fields = tuple((_BY_ID.get(n, n), v) for n, v in value.fields)
        return Struct(fields)
    return value


def _attachment(**target: Type) -> Attr:
    return Attr(
        _Relative(
            StructOf(
                None,
                None,
                **target,
                attach_bpf_fd=FD,
                attach_type=ATTACH_TYPE,
                attach_flags=ATTACH_FLAGS,
                replace_bpf_fd=FD,
                relative_fd=FD,
                expected_revision=U64,
            ),
            ("replace_bpf_fd", "relative_fd"),
        )
    )


_TEST_RUN = Attr(
    Form(
        StructOf(
            prog_fd=FD,
            retval=U32,
            data_size_in=U32,
            data_size_out=U32,
            data_in=AT,
            data_out=AT,
            repeat=U32,
            duration=U32,
            ctx_size_in=U32,
            ctx_size_out=U32,
            ctx_in=AT,
            ctx_out=AT,
            flags=FlagSet(b.BPF_TEST_RUN_FLAGS),
            cpu=U32,
            batch_size=U32,
        ),
        ("ctx_size_in", "flags", "batch_size"),
        "test",
    )
)
_NEXT_ID = Answered(Form(StructOf(start_id=U32, next_id=U32)), "next_id")
_QUERY = Answered(
    Form(
        StructOf(
            target_fd=FD,
            attach_type=ATTACH_TYPE,
            query_flags=FlagSet(b.BPF_QUERY_FLAGS),
            attach_flags=ATTACH_FLAGS,
            prog_ids=Filled(_IDS),
            prog_cnt=U32,
            prog_attach_flags=AT,
            link_ids=AT,
            link_attach_flags=AT,
            revision=U64,
        ),
        ("prog_attach_flags", "link_ids", "link_attach_flags", "revision"),
        "query",
    ),
    "prog_cnt",
    ("prog_ids",),
)
_TASK_FD = Answered(
    Form(
        StructOf(
            pid=Pid(),
            fd=FD,
            flags=U32,
            buf_len=U32,
            buf=Filled(Terminated("buf_len")),
            prog_id=U32,
            fd_type=Enum(b.BPF_TASK_FD_TYPES),
            probe_offset=X64,
            probe_addr=X64,
        ),
        (),
        "task_fd_query",
    ),
    "buf_len",
    ("buf", "prog_id", "fd_type", "probe_offset", "probe_addr"),
)
_INFO = Answered(
    Form(StructOf(bpf_fd=FD, info_len=U32, info=AT), (), "info"), "info_len", ("info",)
)


def _element(**more: Type) -> Attr:
    points = ("flags",) if "flags" in more and "next_key" not in more else ()
    return Attr(Form(StructOf(None, None, map_fd=FD, key=AT, **more), points))


def _batch(*shown: str) -> Batch:
    layout = StructOf(
        None,
        (*shown, "count", "map_fd", "elem_flags", "flags"),
        in_batch=AT,
        out_batch=AT,
        keys=AT,
        values=AT,
        count=U32,
        map_fd=FD,
        elem_flags=ELEMENT_FLAGS,
        flags=X64,
    )
    return Batch(Form(layout, (), "batch"), "count")


_LOOKUP = _batch("in_batch", "out_batch", "keys", "values")
_BTF_LOAD = Attr(
    Form(
        StructOf(
            btf=Wide(Bytes("btf_size")),
            btf_log_buf=AT,
            btf_size=U32,
            btf_log_size=U32,
            btf_log_level=U32,
            btf_log_true_size=U32,
            btf_flags=X32,
            btf_token_fd=FD,
        ),
        ("btf_log_true_size", "btf_flags"),
    )
)
_TRACEPOINT = Attr(
    Form(
        StructOf(name=Wide(Terminated(_TRACEPOINT_NAME)), prog_fd=FD, cookie=U64),
        ("cookie",),
        "raw_tracepoint",
    )
)


def _link(target: Type = FD, name: str = "target_fd", **union: Type) -> Form:
    """BPF_LINK_CREATE with such a member of its union, which starts at the 17th byte."""
    layout = StructOf(
        None,
        None,
        prog_fd=FD,
        **{name: target},
        attach_type=ATTACH_TYPE,
        flags=FlagSet(b.BPF_LINK_FLAGS),
        **union,
    )
    return _Relative(layout, tuple(union)[:1], "link_create")


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
_LINK_CREATE = ByAttachType(
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


def _titled(title: str, **fields: Type) -> Attr:
    return Attr(Form(StructOf(None, None, **fields), (), title))


FORMS: dict[int | tuple[int, ...], Type] = {
    b.BPF_MAP_CREATE: Attr(_MAP_CREATE),
    (b.BPF_MAP_LOOKUP_ELEM, b.BPF_MAP_LOOKUP_AND_DELETE_ELEM): _element(
        value=AT, flags=ELEMENT_FLAGS
    ),
    b.BPF_MAP_UPDATE_ELEM: Attr(
        Form(StructOf(map_fd=FD, key=AT, value=AT, flags=Enum(b.BPF_UPDATE_FLAGS, "u64")))
    ),
    b.BPF_MAP_DELETE_ELEM: _element(),
    b.BPF_MAP_GET_NEXT_KEY: _element(next_key=AT),
    b.BPF_PROG_LOAD: Attr(_PROG_LOAD),
    (b.BPF_OBJ_PIN, b.BPF_OBJ_GET): _OBJECT,
    (b.BPF_PROG_ATTACH, b.BPF_PROG_DETACH): _attachment(target_fd=FD),
    b.BPF_PROG_TEST_RUN: _TEST_RUN,
    (
        b.BPF_PROG_GET_NEXT_ID,
        b.BPF_MAP_GET_NEXT_ID,
        b.BPF_BTF_GET_NEXT_ID,
        b.BPF_LINK_GET_NEXT_ID,
    ): _NEXT_ID,
    b.BPF_PROG_GET_FD_BY_ID: Attr(Form(StructOf(prog_id=U32))),
    b.BPF_MAP_GET_FD_BY_ID: _id("map_id", "open_flags", open_flags=FILE_FLAGS),
    b.BPF_OBJ_GET_INFO_BY_FD: _INFO,
    b.BPF_PROG_QUERY: _QUERY,
    b.BPF_RAW_TRACEPOINT_OPEN: _TRACEPOINT,
    b.BPF_BTF_LOAD: _BTF_LOAD,
    b.BPF_BTF_GET_FD_BY_ID: _id(
        "btf_id",
        "open_flags",
        "fd_by_id_token_fd",
        open_flags=FILE_FLAGS,
        fd_by_id_token_fd=FD,
    ),
    b.BPF_TASK_FD_QUERY: _TASK_FD,
    b.BPF_MAP_FREEZE: Attr(Form(StructOf(map_fd=FD))),
    (b.BPF_MAP_LOOKUP_BATCH, b.BPF_MAP_LOOKUP_AND_DELETE_BATCH): _LOOKUP,
    b.BPF_MAP_UPDATE_BATCH: _batch("keys", "values"),
    b.BPF_MAP_DELETE_BATCH: _batch("keys"),
    b.BPF_LINK_CREATE: _LINK_CREATE,
    b.BPF_LINK_UPDATE: _titled(
        "link_update",
        link_fd=FD,
        new_prog_fd=FD,
        flags=ATTACH_FLAGS,
        old_prog_fd=FD.when(AnyBit("flags", b.BPF_F_REPLACE)),
    ),
    b.BPF_LINK_GET_FD_BY_ID: Attr(Form(StructOf(link_id=U32))),
    b.BPF_ENABLE_STATS: _titled("enable_stats", type=Enum(b.BPF_STATS_TYPES)),
    b.BPF_ITER_CREATE: _titled("iter_create", link_fd=FD, flags=X32),
    b.BPF_LINK_DETACH: _titled("link_detach", link_fd=FD),
    b.BPF_PROG_BIND_MAP: _titled("prog_bind_map", prog_fd=FD, map_fd=FD, flags=X32),
    b.BPF_TOKEN_CREATE: _titled("token_create", flags=X32, bpffs_fd=FD),
    b.BPF_PROG_STREAM_READ_BY_FD: _titled(
        "prog_stream_read", stream_buf=AT, stream_buf_len=U32, stream_id=U32, prog_fd=FD
    ),
    b.BPF_PROG_ASSOC_STRUCT_OPS: _titled("prog_assoc_struct_ops", map_fd=FD, prog_fd=FD, flags=X32),
}
