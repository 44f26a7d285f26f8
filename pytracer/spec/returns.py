"""What a successful call's result means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pytracer.spec.context import Context
from pytracer.spec.plan import AtResult, Fetch, Planning
from pytracer.spec.type import Scope
from pytracer.spec.values import Base, Descriptor, Integer, ProcessId, Value

# The result's value (None: there is none to show) and the remark that follows it in parentheses.
Result: TypeAlias = Callable[[Context], tuple[Value | None, Value | None]]


class Returns:
    """A result.

    ``never_returns``: the call does not come back when it succeeds. ``plain``: nothing but the
    number decides what it means, so that equal ones can be shared; ``by_number``: but for what was
    told of descriptors and processes. Neither is inherited.
    """

    never_returns = False
    plain = False
    by_number = False

    def bind(self, scope: Scope) -> Result:
        """Compile to a decoder of the result of a call that did not fail."""
        mask = (1 << 8 * scope.abi.register_bytes) - 1
        return lambda ctx: (Integer(ctx.ret & mask), None)

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        """What must be read, at exit, to explain the result."""
        return ()


class Count(Returns):
    """A number, in decimal: bytes, a zero for success, anything without a further meaning."""

    plain = True


class HexResult(Returns):
    """An address or a mask, in hexadecimal."""

    plain = True

    def bind(self, scope: Scope) -> Result:
        mask = (1 << 8 * scope.abi.register_bytes) - 1
        return lambda ctx: (Integer(ctx.ret & mask, Base.HEX), None)


class OctalResult(Returns):
    """Permission bits, in octal."""

    plain = True

    def bind(self, scope: Scope) -> Result:
        return lambda ctx: (Integer(ctx.ret, Base.MODE), None)


class NewFd(Returns):
    """A descriptor that the call made."""

    by_number = True

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        return planning.describe(AtResult())

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            if ctx.descriptors is None:
                return Descriptor(ctx.ret), None
            about = ctx.descriptors.about(ctx.pid, ctx.ret, ctx.memory)
            return Descriptor(ctx.ret, None, about), None

        return result


class NewSocket(NewFd):
    """A descriptor of a socket. ``domain``, ``protocol``: the arguments that tell its kind."""

    def __init__(self, domain: str | None = None, protocol: str | None = None) -> None:
        self.domain = domain
        self.protocol = protocol

    def bind(self, scope: Scope) -> Result:
        plain = super().bind(scope)
        domain = scope.number(self.domain or 0)
        protocol = scope.number(self.protocol or 0)

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            if ctx.sockets is not None:
                kind = domain(ctx, ctx.args), protocol(ctx, ctx.args)
                ctx.sockets.made(ctx.pid, ctx.ret, *kind)
            return plain(ctx)

        return result


class Bound(Count):
    """A zero: the socket that is the first argument has an address now."""

    def bind(self, scope: Scope) -> Result:
        plain = super().bind(scope)

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            if ctx.sockets is not None:
                ctx.sockets.bound(ctx.pid, ctx.args[0] & 0xFFFFFFFF)
            return plain(ctx)

        return result


class PidResult(Returns):
    """The id of a process or thread."""

    by_number = True

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            comm = None if ctx.processes is None else ctx.processes.comm(ctx.ret)
            return ProcessId(ctx.ret, comm), None

        return result


class GroupResult(Returns):
    """The id of a process group or of a session."""

    plain = True

    def bind(self, scope: Scope) -> Result:
        return lambda ctx: (ProcessId(ctx.ret), None)


class ReapedResult(PidResult):
    """The id of a process that was waited for: if it had ended, it has no name any more."""

    def bind(self, scope: Scope) -> Result:
        plain = super().bind(scope)

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            if ctx.processes is not None:
                ctx.processes.reaped(ctx.ret, ctx.pid)
            return plain(ctx)

        return result


class NoReturn(Returns):
    """Nothing: the task is gone, or runs on elsewhere."""

    never_returns = True

    def bind(self, scope: Scope) -> Result:
        return lambda ctx: (None, None)
