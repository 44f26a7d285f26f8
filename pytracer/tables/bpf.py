"""bpf: maps, programs and links."""

from __future__ import annotations

from pytracer.spec.context import Context
from pytracer.spec.entry import syscall
from pytracer.spec.returns import NewFd, Result
from pytracer.spec.scalar import Enum, Pointer, UInt
from pytracer.spec.switch import Switch
from pytracer.spec.type import Scope
from pytracer.spec.values import Integer, Value
from pytracer.tables.constants import bpf as b
from pytracer.tables.structs.bpfforms import FORMS

_MAKES_FD = frozenset(
    {
        b.BPF_MAP_CREATE,
        b.BPF_PROG_LOAD,
        b.BPF_OBJ_PIN,
        b.BPF_OBJ_GET,
        b.BPF_PROG_GET_FD_BY_ID,
        b.BPF_MAP_GET_FD_BY_ID,
        b.BPF_BTF_LOAD,
        b.BPF_BTF_GET_FD_BY_ID,
        b.BPF_LINK_CREATE,
        b.BPF_LINK_UPDATE,
        b.BPF_LINK_GET_FD_BY_ID,
        b.BPF_ENABLE_STATS,
        b.BPF_ITER_CREATE,
        b.BPF_TOKEN_CREATE,
    }
)


class Made(NewFd):
    """What a command has made: a descriptor, if it makes any."""

    def bind(self, scope: Scope) -> Result:
        made = super().bind(scope)
        command = scope.number("cmd")

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            if command(ctx, ctx.args) in _MAKES_FD:
                return made(ctx)
            return Integer(ctx.ret), None

        return result


syscall(
    "bpf",
    cmd=Enum(b.BPF_COMMANDS),
    attr=Switch("cmd", FORMS, Pointer()),
    size=UInt(),
    returns=Made(),
    classes="desc",
)
