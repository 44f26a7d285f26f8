"""What each of bpf's commands is given.

Source: include/uapi/linux/bpf.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import ArrayOf, Chars, Pad, StructOf
from pytracer.spec.pointer import Bytes, Cstr, Path
from pytracer.spec.scalar import Enum, FlagSet, Number, Pid
from pytracer.spec.type import AnyBit, Type
from pytracer.spec.wide import Wide
from pytracer.tables.constants import bpf as b
from pytracer.tables.structs.bpfattr import Answered, Attr, Batch, Form
from pytracer.tables.structs.bpflinks import LINK_CREATE
from pytracer.tables.structs.bpfparts import (
    AT,
    ATTACH_FLAGS,
    ATTACH_TYPE,
    ELEMENT_FLAGS,
    FD,
    FILE_FLAGS,
    NAME,
    U32,
    U64,
    X32,
    X64,
    Filled,
    KernelVersion,
    Node,
    Relative,
    Terminated,
)
from pytracer.tables.structs.ebpf import Program
from pytracer.tables.structs.netaddr import Interface

_TRACEPOINT_NAME = 128


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
        numa_node=Node().when(AnyBit("map_flags", b.BPF_F_NUMA_NODE)),
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


def _attachment(**target: Type) -> Attr:
    return Attr(
        Relative(
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
    b.BPF_LINK_CREATE: LINK_CREATE,
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
