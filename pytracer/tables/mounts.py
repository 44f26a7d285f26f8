"""Mounting, and what is mounted."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.aggregate import ArrayOf
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Bytes, Cstr, Out, Path
from pytracer.spec.returns import NewFd
from pytracer.spec.scalar import DirFd, Enum, Fd, FlagSet, Hex, Int, Pointer, Size
from pytracer.spec.switch import Switch
from pytracer.spec.type import Type
from pytracer.tables.constants.files import (
    AT_FLAGS_MOUNT_SETATTR,
    AT_FLAGS_OPEN_TREE,
    FSCONFIG_COMMANDS,
    FSCONFIG_SET_BINARY,
    FSCONFIG_SET_FD,
    FSCONFIG_SET_FLAG,
    FSCONFIG_SET_PATH,
    FSCONFIG_SET_PATH_EMPTY,
    FSCONFIG_SET_STRING,
    FSMOUNT_ATTR,
    FSMOUNT_FLAGS,
    FSOPEN_FLAGS,
    FSPICK_FLAGS,
    LISTMOUNT_FLAGS,
    MOVE_MOUNT_FLAGS,
    STATMOUNT_FLAGS,
    UMOUNT_FLAGS,
)
from pytracer.tables.structs.mount import (
    LIST_NAMESPACES,
    LIST_REQUEST,
    MOUNT_ATTRIBUTES,
    MOUNT_DATA,
    MOUNT_TYPE,
    STAT_REQUEST,
    MountFlags,
    Statmount,
)

syscall(
    "mount",
    source=Path(),
    target=Path(),
    filesystemtype=MOUNT_TYPE,
    mountflags=MountFlags(),
    data=MOUNT_DATA,
)
syscall("umount", target=Path(), abis=(I386,))
syscall("umount2", target=Path(), flags=FlagSet(UMOUNT_FLAGS))
syscall(
    "move_mount",
    from_dfd=DirFd(),
    from_pathname=Path(at="from_dfd"),
    to_dfd=DirFd(),
    to_pathname=Path(at="to_dfd"),
    flags=FlagSet(MOVE_MOUNT_FLAGS),
)
syscall(
    "open_tree",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=FlagSet(AT_FLAGS_OPEN_TREE),
    returns=NewFd(),
)
syscall(
    "open_tree_attr",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=FlagSet(AT_FLAGS_OPEN_TREE),
    attr=MOUNT_ATTRIBUTES,
    size=Size(),
    returns=NewFd(),
)
syscall(
    "mount_setattr",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=FlagSet(AT_FLAGS_MOUNT_SETATTR),
    attr=MOUNT_ATTRIBUTES,
    size=Size(),
)

KEYS: dict[int | tuple[int, ...], Type] = {
    (
        FSCONFIG_SET_FLAG,
        FSCONFIG_SET_STRING,
        FSCONFIG_SET_BINARY,
        FSCONFIG_SET_PATH,
        FSCONFIG_SET_PATH_EMPTY,
        FSCONFIG_SET_FD,
    ): Cstr()
}
VALUES: dict[int | tuple[int, ...], Type] = {
    FSCONFIG_SET_STRING: Cstr(),
    (FSCONFIG_SET_PATH, FSCONFIG_SET_PATH_EMPTY): Path(at="aux"),
    FSCONFIG_SET_BINARY: Bytes(length="aux", escaped=True),
}
DESCRIPTORS: dict[int | tuple[int, ...], Type] = {
    (FSCONFIG_SET_PATH, FSCONFIG_SET_PATH_EMPTY): DirFd(),
    FSCONFIG_SET_FD: Fd(),
}
syscall("fsopen", fsname=Cstr(), flags=FlagSet(FSOPEN_FLAGS), returns=NewFd(), classes="desc")
syscall(
    "fsconfig",
    fd=Fd(),
    cmd=Enum(FSCONFIG_COMMANDS),
    key=Switch(on="cmd", cases=KEYS, default=Pointer()),
    value=Switch(on="cmd", cases=VALUES, default=Pointer()),
    aux=Switch(on="cmd", cases=DESCRIPTORS, default=Int()),
    classes="file",
)
syscall(
    "fsmount",
    fd=Fd(),
    flags=FlagSet(FSMOUNT_FLAGS),
    attr_flags=FlagSet(FSMOUNT_ATTR),
    returns=NewFd(),
)
syscall(
    "fspick",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=FlagSet(FSPICK_FLAGS),
    returns=NewFd(),
)

IDS = Out(ArrayOf(Hex("u64"), "ret"))
syscall(
    "statmount",
    req=STAT_REQUEST,
    buf=Out(Statmount()),
    bufsize=Size(),
    flags=FlagSet(STATMOUNT_FLAGS),
)
syscall(
    "listmount",
    req=LIST_REQUEST,
    mnt_ids=IDS,
    nr_mnt_ids=Size(),
    flags=FlagSet(LISTMOUNT_FLAGS),
)
syscall("listns", req=LIST_NAMESPACES, ns_ids=IDS, nr_ns_ids=Size(), flags=Hex())
