"""The kernel's keyrings: add_key, request_key, keyctl.

The names of keyctl's arguments are those of the functions of keyctl(3).
"""

from __future__ import annotations

from pytracer.spec.entry import BOOK, syscall
from pytracer.spec.operations import Operations
from pytracer.spec.pointer import Bytes, Cstr, In, Out
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, Size, Uid, UInt
from pytracer.spec.type import Type
from pytracer.spec.values import Base
from pytracer.tables.constants import keys as k
from pytracer.tables.structs.iovec import Vector
from pytracer.tables.structs.key import (
    DH_PARAMS,
    KDF_PARAMS,
    KEY,
    PKEY_IN_IN,
    PKEY_IN_OUT,
    PKEY_QUERY,
    Answer,
    Capabilities,
    Operand,
    Result,
)
from pytracer.tables.structs.sockoption import PendingError

TEXT = Cstr()
RAW = Hex("kulong")
PAYLOAD = Bytes("plen")
KINDS: dict[str, Type] = {"type": TEXT, "description": TEXT}

syscall("add_key", type=TEXT, description=TEXT, payload=PAYLOAD, plen=Size(), keyring=KEY)
syscall("request_key", type=TEXT, description=TEXT, callout_info=TEXT, dest_keyring=KEY)

_KEY: dict[str, Type] = {"key": KEY}
_KEYRING: dict[str, Type] = {"keyring": KEY}
_DESCRIPTION: dict[str, Type] = {"buffer": Answer("buflen", text=True), "buflen": Size()}
_PKEY: dict[str, Type] = {
    "params": In(PKEY_IN_OUT),
    "info": TEXT,
    "in": Operand(),
    "out": Result(),
}
OPERATIONS: dict[int, dict[str, Type]] = {
    k.KEYCTL_GET_KEYRING_ID: {"key": KEY, "create": Int()},
    k.KEYCTL_JOIN_SESSION_KEYRING: {"name": TEXT},
    k.KEYCTL_UPDATE: {"key": KEY, "payload": PAYLOAD, "plen": Size()},
    k.KEYCTL_REVOKE: _KEY,
    k.KEYCTL_CHOWN: {"key": KEY, "uid": Uid(), "gid": Uid()},
    k.KEYCTL_SETPERM: {"key": KEY, "perm": FlagSet(k.KEY_PERMISSIONS)},
    k.KEYCTL_DESCRIBE: {"key": KEY, **_DESCRIPTION},
    k.KEYCTL_CLEAR: _KEYRING,
    k.KEYCTL_LINK: {"key": KEY, "keyring": KEY},
    k.KEYCTL_UNLINK: {"key": KEY, "keyring": KEY},
    k.KEYCTL_SEARCH: {"keyring": KEY, **KINDS, "dest_keyring": KEY},
    k.KEYCTL_READ: {"key": KEY, "buffer": Answer("buflen"), "buflen": Size()},
    k.KEYCTL_INSTANTIATE: {"key": KEY, "payload": PAYLOAD, "plen": Size(), "keyring": KEY},
    k.KEYCTL_NEGATE: {"key": KEY, "timeout": UInt(), "keyring": KEY},
    k.KEYCTL_SET_REQKEY_KEYRING: {"reqkey_defl": Enum(k.KEY_REQKEYS, "int", Base.DEC)},
    k.KEYCTL_SET_TIMEOUT: {"key": KEY, "timeout": UInt()},
    k.KEYCTL_ASSUME_AUTHORITY: _KEY,
    k.KEYCTL_GET_SECURITY: {"key": KEY, **_DESCRIPTION},
    k.KEYCTL_SESSION_TO_PARENT: {},
    k.KEYCTL_REJECT: {"key": KEY, "timeout": UInt(), "error": PendingError(), "keyring": KEY},
    k.KEYCTL_INSTANTIATE_IOV: {
        "key": KEY,
        "payload_iov": Vector("ioc"),
        "ioc": Size(),
        "keyring": KEY,
    },
    k.KEYCTL_INVALIDATE: _KEY,
    k.KEYCTL_GET_PERSISTENT: {"uid": Uid(), "keyring": KEY},
    k.KEYCTL_DH_COMPUTE: {
        "params": In(DH_PARAMS),
        "buffer": Answer("buflen"),
        "buflen": Size(),
        "kdf": Out(KDF_PARAMS, failed=True),
    },
    k.KEYCTL_PKEY_QUERY: {"key": KEY, "reserved": RAW, "info": TEXT, "result": Out(PKEY_QUERY)},
    k.KEYCTL_PKEY_ENCRYPT: _PKEY,
    k.KEYCTL_PKEY_DECRYPT: _PKEY,
    k.KEYCTL_PKEY_SIGN: _PKEY,
    k.KEYCTL_PKEY_VERIFY: {
        "params": In(PKEY_IN_IN),
        "info": TEXT,
        "in": Operand(),
        "in2": Operand(second=True),
    },
    k.KEYCTL_RESTRICT_KEYRING: {"keyring": KEY, "type": TEXT, "restriction": TEXT},
    k.KEYCTL_MOVE: {
        "key": KEY,
        "from_keyring": KEY,
        "to_keyring": KEY,
        "flags": FlagSet(k.KEYCTL_MOVE_FLAGS),
    },
    k.KEYCTL_CAPABILITIES: {"buffer": Capabilities("buflen"), "buflen": Size()},
}
BOOK.add(
    Operations(
        "keyctl",
        {"operation": Enum(k.KEYCTL_COMMANDS), **{f"arg{i}": RAW for i in range(2, 6)}},
        OPERATIONS,
    )
)
