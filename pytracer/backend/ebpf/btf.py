"""Offsets of fields of kernel structures, from the kernel's own type information.

Source: Documentation/bpf/btf.rst for the format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from pytracer.backend.base import BackendUnavailable

VMLINUX = Path("/sys/kernel/btf/vmlinux")

_MAGIC = 0xEB9F
_HEADER = struct.Struct("<HBBIIIII")
_STRUCT = 4
_UNION = 5
_FUNCTION = 12
# What follows the three words of a type, by kind: so many bytes, and so many for each of its parts.
_SIZES = {
    1: (4, 0),  # int
    3: (12, 0),  # array
    4: (0, 12),  # struct
    5: (0, 12),  # union
    6: (0, 8),  # enum
    13: (0, 8),  # the parameters of a function
    14: (4, 0),  # variable
    15: (0, 12),  # section
    17: (4, 0),  # tag of a declaration
    19: (0, 12),  # enum of 64 bits
}


class Btf:
    """The types of one BTF blob, found by name without walking all of them."""

    def __init__(self, blob: bytes) -> None:
        magic, _, _, header_bytes, types, types_bytes, strings, strings_bytes = _HEADER.unpack_from(
            blob
        )
        if magic != _MAGIC:
            raise BackendUnavailable(
                "ebpf", f"the kernel's BTF has the magic {magic:#x}, not {_MAGIC:#x}", "report it"
            )
        self._types = blob[header_bytes + types : header_bytes + types + types_bytes]
        self._strings = blob[header_bytes + strings : header_bytes + strings + strings_bytes]

    def offset(self, structure: str, *path: str) -> int:
        """Find a field's offset.

        Units:  bytes.
        Errors: KeyError when this kernel has no such structure or field.
        """
        at = self._find(structure)
        found = self._member(at, path[0]) if len(path) == 1 else None
        if found is None:
            raise KeyError(f"struct {structure}.{'.'.join(path)}")
        return found

    def sum(self, place: str) -> int:
        """Add the offsets of fields inside of each other: "socket.sk + sock.sk_family".

        Errors: KeyError as for :meth:`offset`.
        """
        return sum(self.offset(*field.split(".")) for field in place.split(" + "))

    def bit(self, structure: str, field: str) -> tuple[int, int]:
        """Find a bit field: the offset of the word of 32 bits that it is in, and its mask there.

        Errors: KeyError when this kernel has no such structure or field.
        """
        at = self._find(structure)
        for name, bits, width in self._raw_members(at):
            if name == field:
                return bits // 32 * 4, (1 << width) - 1 << bits % 32
        raise KeyError(f"struct {structure}.{field}")

    def names(self, name: str) -> bool:
        """Whether anything in the kernel has this name."""
        return b"\0" + name.encode() + b"\0" in self._strings

    def size(self, structure: str) -> int:
        """The size of a structure in bytes.

        Errors: KeyError when this kernel has no such structure.
        """
        at = self._find(structure)
        return int(struct.unpack_from("<I", self._types, at + 8)[0])

    def function(self, name: str) -> int:
        """The number of a function among all types. Walks through all of them: some 0.1 s.

        Errors: KeyError when this kernel has no such function.
        """
        wanted = self._strings.find(b"\0" + name.encode() + b"\0") + 1
        for number, at in enumerate(self._places, 1):
            (name_at,) = struct.unpack_from("<I", self._types, at)
            if name_at == wanted and wanted and self._kind(at) == _FUNCTION:
                return number
        raise KeyError(f"function {name}")

    def _find(self, structure: str) -> int:
        # Every type's record is a multiple of four bytes and begins with its name's offset.
        name = self._strings.find(b"\0" + structure.encode() + b"\0") + 1
        wanted = struct.pack("<I", name)
        at = self._types.find(wanted) if name else -1
        while 0 <= at <= len(self._types) - 12:
            info, size = struct.unpack_from("<II", self._types, at + 4)
            if at % 4 == 0 and info >> 24 & 0x1F == _STRUCT and info & 0xFFFF and size:
                return at
            at = self._types.find(wanted, at + 1)
        raise KeyError(f"struct {structure}")

    def _raw_members(self, at: int) -> Iterator[tuple[str, int, int]]:
        """Name, offset in bits, and width in bits (0: not a bit field) of each member."""
        (info,) = struct.unpack_from("<I", self._types, at + 4)
        for i in range(info & 0xFFFF):
            name, _, bits = struct.unpack_from("<III", self._types, at + 12 + 12 * i)
            width = 0
            if info >> 31:  # kind_flag: the upper byte is a bit field's width
                width = bits >> 24
                bits &= 0xFFFFFF
            yield self._string(name), bits, width

    def _member(self, at: int, name: str) -> int | None:
        """Find a member of the structure whose record is there, or of its nameless parts."""
        (info,) = struct.unpack_from("<I", self._types, at + 4)
        nameless = []
        for i in range(info & 0xFFFF):
            name_at, kind, bits = struct.unpack_from("<III", self._types, at + 12 + 12 * i)
            if info >> 31:  # kind_flag: the upper byte is a bit field's width
                bits &= 0xFFFFFF
            if not name_at:
                nameless.append((kind, bits // 8))
            elif self._string(name_at) == name:
                return int(bits) // 8
        for kind, offset in nameless:
            part = self._places[kind - 1]
            if self._kind(part) in (_STRUCT, _UNION):
                found = self._member(part, name)
                if found is not None:
                    return int(offset) + found
        return None

    def _string(self, at: int) -> str:
        return self._strings[at : self._strings.index(b"\0", at)].decode()

    def _kind(self, at: int) -> int:
        return self._types[at + 7] & 0x1F

    @cached_property
    def _places(self) -> list[int]:
        """Where each type's record is, by its number less one. To walk through all takes 0.1 s."""
        unpack = struct.Struct("<4xI").unpack_from
        found = []
        at = 0
        while at < len(self._types):
            (info,) = unpack(self._types, at)
            found.append(at)
            fixed, each = _SIZES.get(info >> 24 & 0x1F, (0, 0))
            at += 12 + fixed + each * (info & 0xFFFF)
        return found


def vmlinux() -> Btf:
    """Read the kernel's own types.

    Errors: BackendUnavailable when it tells of none.
    """
    try:
        return Btf(VMLINUX.read_bytes())
    except OSError as error:
        raise BackendUnavailable(
            "ebpf",
            f"cannot read {VMLINUX}: {error.strerror}",
            "use a kernel built with CONFIG_DEBUG_INFO_BTF, or --backend=ptrace",
        ) from error


def kernel_offsets() -> dict[str, int]:
    """Find what the programs need to know of this kernel: OFFSET_* constants, helpers it has.

    Units:  bytes.
    Errors: BackendUnavailable when the kernel has no BTF or lacks a field.
    """
    btf = vmlinux()
    try:
        helpers = {"TASK_PT_REGS": 1} if btf.names("bpf_task_pt_regs") else {}
        return helpers | {
            "OFFSET_PID": btf.offset("task_struct", "pid"),
            "OFFSET_COMM": btf.offset("task_struct", "comm"),
            "OFFSET_EXIT_CODE": btf.offset("task_struct", "exit_code"),
            "OFFSET_FILES": btf.offset("task_struct", "files"),
            "OFFSET_FDT": btf.offset("files_struct", "fdt"),
            "OFFSET_MAX_FDS": btf.offset("fdtable", "max_fds"),
            "OFFSET_FDS": btf.offset("fdtable", "fd"),
            "OFFSET_PRIVATE_DATA": btf.offset("file", "private_data"),
            "OFFSET_SOCK": btf.offset("socket", "sk"),
            "OFFSET_SOCK_FAMILY": btf.offset("sock", "__sk_common")
            + btf.offset("sock_common", "skc_family"),
            "OFFSET_SIGNAL": btf.offset("task_struct", "signal"),
            "OFFSET_PENDING": btf.offset("task_struct", "pending")
            + btf.offset("sigpending", "signal"),
            "OFFSET_STATUS": btf.offset("task_struct", "thread_info")
            + btf.offset("thread_info", "status"),
            "OFFSET_GROUP_LEADER": btf.offset("task_struct", "group_leader"),
            "OFFSET_THREAD_PID": btf.offset("task_struct", "thread_pid"),
            "OFFSET_LEVEL": btf.offset("pid", "level"),
            "OFFSET_NUMBERS": btf.offset("pid", "numbers"),
            "OFFSET_UPID_NS": btf.offset("upid", "ns"),
            "SIZE_UPID": btf.size("upid"),
            "OFFSET_INUM": btf.offset("pid_namespace", "ns") + btf.offset("ns_common", "inum"),
            "OFFSET_BPRM_FILENAME": btf.offset("linux_binprm", "filename"),
            "OFFSET_BPRM_INTERP": btf.offset("linux_binprm", "interp"),
            "OFFSET_BPRM_P": btf.offset("linux_binprm", "p"),
            "OFFSET_GROUP_FLAGS": btf.offset("signal_struct", "flags"),
            "OFFSET_GROUP_EXIT_CODE": btf.offset("signal_struct", "group_exit_code"),
            "OFFSET_RUNTIME": btf.offset("task_struct", "se")
            + btf.offset("sched_entity", "sum_exec_runtime"),
        }
    except KeyError as error:
        raise BackendUnavailable(
            "ebpf", f"the kernel's BTF has no {error.args[0]}", "use --backend=ptrace"
        ) from error


def member_offsets() -> dict[str, int]:
    """What selecting by control group and name needs; nothing when the kernel lacks some of it."""
    try:
        btf = vmlinux()
        in_execve, mask = btf.bit("task_struct", "in_execve")
        return _state_offset(btf) | {
            "MEMBERS": 1,
            "OFFSET_IN_EXECVE": in_execve,
            "MASK_IN_EXECVE": mask,
            "OFFSET_FLAGS": btf.offset("task_struct", "flags"),
            "OFFSET_THREAD_NODE": btf.offset("task_struct", "thread_node"),
            "OFFSET_THREAD_HEAD": btf.offset("signal_struct", "thread_head"),
            "OFFSET_TASK_CGROUPS": btf.offset("task_struct", "cgroups"),
            "OFFSET_SET_DEFAULT": btf.offset("css_set", "dfl_cgrp"),
            "OFFSET_SET_LINKS": btf.offset("css_set", "cgrp_links"),
            "OFFSET_LINK_CGROUP": btf.offset("cgrp_cset_link", "cgrp"),
            "OFFSET_LINK_ENTRY": btf.offset("cgrp_cset_link", "cgrp_link"),
            "OFFSET_CGROUP_SELF": btf.offset("cgroup", "self"),
            "OFFSET_CGROUP_NODE": btf.offset("cgroup", "kn"),
            "OFFSET_CGROUP_ROOT": btf.offset("cgroup", "root"),
            "OFFSET_CGROUP_HIERARCHY": btf.offset("cgroup_root", "hierarchy_id"),
            "OFFSET_CSS_PARENT": btf.offset("cgroup_subsys_state", "parent"),
            "OFFSET_CSS_CGROUP": btf.offset("cgroup_subsys_state", "cgroup"),
            "OFFSET_NODE_ID": btf.offset("kernfs_node", "id"),
            "OFFSET_NODE_NAME": btf.offset("kernfs_node", "name"),
        }
    except (KeyError, OSError):
        return {}


def _state_offset(btf: Btf) -> dict[str, int]:
    """Whether a task sleeps; renamed in 5.14."""
    for name in ("__state", "state"):
        with suppress(KeyError):
            return {"OFFSET_TASK_STATE": btf.offset("task_struct", name)}
    return {}


def iterator_number(name: str) -> int:
    """Find the number of an iterator, for attaching a program to it.

    Errors: BackendUnavailable when the kernel has no such iterator (before 5.8).
    """
    try:
        return Btf(VMLINUX.read_bytes()).function(f"bpf_iter_{name}")
    except KeyError as error:
        raise BackendUnavailable(
            "ebpf",
            f"the kernel has no {error.args[0]}, which a pid namespace of its own needs",
            "run in the initial pid namespace, or use --backend=ptrace",
        ) from error
