"""Where the kernel keeps what descriptors refer to: constants for bpf/descriptors.h."""

from __future__ import annotations

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf.btf import vmlinux

_FIELDS = {
    "FILES": "task_struct.files",
    "FILES_TABLE": "files_struct.fdt",
    "TABLE_SIZE": "fdtable.max_fds",
    "TABLE_FILES": "fdtable.fd",
    "FS": "task_struct.fs",
    "FS_PWD": "fs_struct.pwd",
    "FILE_PATH": "file.f_path",
    "FILE_INODE": "file.f_inode",
    "FILE_PRIVATE": "file.private_data",
    "DENTRY_INODE": "dentry.d_inode",
    "DENTRY_PARENT": "dentry.d_parent",
    "DENTRY_NAME": "dentry.d_name + qstr.name",
    "DENTRY_HASHED": "dentry.d_hash + hlist_bl_node.pprev",
    "INODE_NUMBER": "inode.i_ino",
    "INODE_MODE": "inode.i_mode",
    "INODE_RDEV": "inode.i_rdev",
    "INODE_SUPER": "inode.i_sb",
    "SUPER_DEVICE": "super_block.s_dev",
    "SUPER_MAGIC": "super_block.s_magic",
    "MOUNT_ROOT": "vfsmount.mnt_root",
    "MOUNT_PART": "mount.mnt",
    "MOUNT_PARENT": "mount.mnt_parent",
    "MOUNT_POINT": "mount.mnt_mountpoint",
    "SOCKET_SK": "socket.sk",
    "SOCKET_INODE": "socket_alloc.vfs_inode",
    "SK_FAMILY": "sock.__sk_common + sock_common.skc_family",
    "SK_STATE": "sock.__sk_common + sock_common.skc_state",
    "SK_NUM": "sock.__sk_common + sock_common.skc_num",
    "SK_DPORT": "sock.__sk_common + sock_common.skc_dport",
    "SK_ADDRESS": "sock.__sk_common + sock_common.skc_rcv_saddr",
    "SK_PEER": "sock.__sk_common + sock_common.skc_daddr",
    "SK_PROTOCOL": "sock.sk_protocol",
    "SK_SOCKET": "sock.sk_socket",
    "UNIX_PEER": "unix_sock.peer",
    "UNIX_ADDRESS": "unix_sock.addr",
    "ADDRESS_LENGTH": "unix_address.len",
    "ADDRESS_NAME": "unix_address.name",
}
# Of these, what tells the kind of a file alone.
_KIND = ("FILE_INODE", "INODE_MODE", "INODE_SUPER", "SUPER_MAGIC")
# What a kernel may be built without, or have in another place.
_EXTRAS = {
    "SK_ADDRESS6": "sock.__sk_common + sock_common.skc_v6_rcv_saddr",
    "SK_PEER6": "sock.__sk_common + sock_common.skc_v6_daddr",
    "NETLINK_PORT": "netlink_sock.portid",
    "NETLINK_BOUND": "netlink_sock.bound",
    "NETLINK_GROUPS": "netlink_sock.subscriptions",
    "EVENTFD_COUNT": "eventfd_ctx.count",
    "EVENTFD_ID": "eventfd_ctx.id",
    "EVENTFD_FLAGS": "eventfd_ctx.flags",
    "SIGNALFD_MASK": "signalfd_ctx.sigmask",
    "TTY": "tty_file_private.tty",
    "TTY_INDEX": "tty_struct.index",
    "PID_TASKS": "pid.tasks",
    "INODE_PRIVATE": "inode.i_private",
    "NS_OPS": "ns_common.ops",
    "NS_NAME": "proc_ns_operations.name",
}


def kind_offsets() -> dict[str, int]:
    """Find what bpf/filekinds.h needs; nothing when the kernel lacks some of it."""
    btf = vmlinux()
    try:
        return {f"OFFSET_{name}": btf.sum(_FIELDS[name]) for name in _KIND}
    except KeyError:
        return {}


def descriptor_offsets() -> dict[str, int]:
    """Find what the programs need to know to tell what descriptors refer to.

    Shape:  -1 for what this kernel does not have and can be left out of the account.
    Errors: BackendUnavailable when the kernel lacks a field without which nothing can be told.
    """
    btf = vmlinux()
    try:
        found = {name: btf.sum(place) for name, place in _FIELDS.items()}
    except KeyError as error:
        raise BackendUnavailable(
            "ebpf", f"the kernel's BTF has no {error.args[0]}, for -y", "use --backend=ptrace"
        ) from error
    for name, place in _EXTRAS.items():
        try:
            found[name] = btf.sum(place)
        except KeyError:
            found[name] = -1
    return {f"OFFSET_{name}": offset for name, offset in found.items()} | {"WITH_DESCRIPTORS": 1}
