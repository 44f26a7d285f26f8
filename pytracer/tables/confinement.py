"""Limits on what a process may do: seccomp, landlock, namespaces' relatives."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import Context
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, InOut, Out
from pytracer.spec.returns import NewFd, Result
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Number, Pointer, Size, UInt
from pytracer.spec.switch import Switch
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Integer, Struct, Value
from pytracer.spec.versioned import Versioned
from pytracer.tables.constants.landlock import (
    LANDLOCK_ACCESS_FS,
    LANDLOCK_ACCESS_NET,
    LANDLOCK_ADD_RULE_FLAGS,
    LANDLOCK_CREATE_FLAGS,
    LANDLOCK_CREATE_RULESET_VERSION,
    LANDLOCK_RULE_NET_PORT,
    LANDLOCK_RULE_PATH_BENEATH,
    LANDLOCK_RULE_TYPES,
    LANDLOCK_SCOPES,
)
from pytracer.tables.constants.process import (
    LSM_ATTRS,
    LSM_FLAGS,
    SECCOMP_FILTER_FLAGS,
    SECCOMP_GET_ACTION_AVAIL,
    SECCOMP_GET_NOTIF_SIZES,
    SECCOMP_OPS,
    SECCOMP_RETURNS,
    SECCOMP_SET_MODE_FILTER,
)
from pytracer.tables.structs.bpf_filter import SECCOMP_PROGRAM
from pytracer.tables.structs.lsm import LSM_ID, ModuleContext, ModuleContexts

NOTIFICATION_SIZES = StructOf(
    seccomp_notif=Number("ushort"),
    seccomp_notif_resp=Number("ushort"),
    seccomp_data=Number("ushort"),
)

seccomp = syscall(
    "seccomp",
    operation=Enum(SECCOMP_OPS),
    flags=Switch(
        on="operation",
        cases={SECCOMP_SET_MODE_FILTER: FlagSet(SECCOMP_FILTER_FLAGS)},
        default=Hex(),
    ),
    args=Switch(
        on="operation",
        cases={
            SECCOMP_SET_MODE_FILTER: In(SECCOMP_PROGRAM),
            SECCOMP_GET_ACTION_AVAIL: In(Enum(SECCOMP_RETURNS)),
            SECCOMP_GET_NOTIF_SIZES: Out(NOTIFICATION_SIZES),
        },
        default=Pointer(),
    ),
)

ACCESS_FS = FlagSet(LANDLOCK_ACCESS_FS, "u64")
ACCESS_NET = FlagSet(LANDLOCK_ACCESS_NET, "u64")
SCOPED = FlagSet(LANDLOCK_SCOPES, "u64")


class _Packed(FlagSet):
    """64 bits of a structure that is packed."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 8, 4, "Q"


PATH_BENEATH = StructOf(allowed_access=_Packed(LANDLOCK_ACCESS_FS, "u64"), parent_fd=Fd())
NET_PORT = StructOf(allowed_access=ACCESS_NET, port=Number("u64"))


class RulesetAttributes(Versioned):
    """What a ruleset is about; that there is more than we know is said, and not what it is."""

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_known = super().bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = decode_known(ctx, address, frame)
            if isinstance(value, Struct) and not value.fields[-1][0]:
                value.fields = value.fields[:-1]
                value.more = True
            return value

        return decode_at


class Ruleset(NewFd):
    """A descriptor of a ruleset, or, where only that was asked for, the version."""

    def bind(self, scope: Scope) -> Result:
        made = super().bind(scope)
        flags = scope.number("flags")

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            if flags(ctx, ctx.args) & LANDLOCK_CREATE_RULESET_VERSION:
                return Integer(ctx.ret), None
            return made(ctx)

        return result


landlock_create_ruleset = syscall(
    "landlock_create_ruleset",
    attr=In(
        RulesetAttributes(
            StructOf(
                handled_access_fs=ACCESS_FS,
                handled_access_net=ACCESS_NET,
                scoped=SCOPED,
                quiet_access_fs=ACCESS_FS,
                quiet_access_net=ACCESS_NET,
                quiet_scoped=SCOPED,
            ),
            size="size",
            least=8,
        )
    ),
    size=Size(),
    flags=FlagSet(LANDLOCK_CREATE_FLAGS),
    returns=Ruleset(),
    classes="desc",
)
landlock_add_rule = syscall(
    "landlock_add_rule",
    ruleset_fd=Fd(),
    rule_type=Enum(LANDLOCK_RULE_TYPES),
    rule_attr=Switch(
        on="rule_type",
        cases={
            LANDLOCK_RULE_PATH_BENEATH: In(PATH_BENEATH),
            LANDLOCK_RULE_NET_PORT: In(NET_PORT),
        },
        default=Pointer(),
    ),
    flags=FlagSet(LANDLOCK_ADD_RULE_FLAGS),
)
landlock_restrict_self = syscall("landlock_restrict_self", ruleset_fd=Fd(), flags=Hex())

LSM_ATTRIBUTE = Enum(LSM_ATTRS)
LSM_SIZE = InOut(UInt(), failed=True)
lsm_get_self_attr = syscall(
    "lsm_get_self_attr",
    attr=LSM_ATTRIBUTE,
    ctx=ModuleContexts(),
    size=LSM_SIZE,
    flags=FlagSet(LSM_FLAGS),
)
lsm_set_self_attr = syscall(
    "lsm_set_self_attr",
    attr=LSM_ATTRIBUTE,
    ctx=In(ModuleContext("size")),
    size=UInt(),
    flags=Hex(),
)
lsm_list_modules = syscall(
    "lsm_list_modules", ids=Out(ArrayOf(LSM_ID, "ret")), size=LSM_SIZE, flags=Hex()
)
