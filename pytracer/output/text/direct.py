"""Arguments written at once, without the values that every other output takes.

What most arguments of most calls are - numbers, strings, structures of numbers - is compiled from
its type to a function from registers and memory to text. All others are decoded and written. A
test holds that both ways lead to the same text, for every description.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pytracer.event.memory import CString
from pytracer.output.text.quote import quote
from pytracer.output.text.render import Renderer
from pytracer.spec.aggregate import StructOf
from pytracer.spec.choice import ByAbi
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.entry import Compiled
from pytracer.spec.pointer import PATH_MAX, Bytes, Cstr, In, Out, Path, Pointee
from pytracer.spec.scalar import Number, Pointer
from pytracer.spec.type import Conditional, Scope, Type
from pytracer.spec.values import Base, Became

# Texts of one argument or field that are remembered.
MOST_TEXTS: Final = 1 << 12

# (call, raw register or field, its siblings) -> its text, None where there is no such argument, or
# LATER.
Write: TypeAlias = Callable[[Context, Any, tuple[Any, ...]], Any]
# What is known of an argument by its number, where that is all it depends on; its register; what
# writes it.
Step: TypeAlias = tuple[dict[Any, str] | None, int, Write]


class Continuation(str):
    """Text that goes on with the argument before it."""

    __slots__ = ()


def arguments(compiled: Compiled, renderer: Renderer, whole: bool) -> list[Step]:
    """Compile the arguments of a call. ``whole``: decoders do not abbreviate."""
    direct = Direct(renderer, whole)
    scope = compiled.scope
    found: list[Step] = []
    for (_, register, decode), kind in zip(compiled.steps, compiled.kinds, strict=True):
        if kind.registers(scope.abi) == 2:
            found.append((None, register, direct.value(decode)))
        elif kind.by_number():
            known: dict[Any, str] = {}
            make = direct.number(kind, scope, decode)
            found.append((known, register, _remembering(make, "", known)))
        else:
            found.append((None, register, direct.argument(kind, scope, decode)))
    return found


def _remembering(make: Callable[[Context, Any], str], prefix: str, known: dict[Any, str]) -> Write:
    """Write what depends on the number alone."""

    def write(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> str:
        text = known.get(raw)
        if text is None:
            text = prefix + make(ctx, raw)
            if len(known) < MOST_TEXTS:
                known[raw] = text
        return text

    return write


def _address(address: int) -> str:
    return hex(address) if address else "NULL"


class Direct:
    """Compiles types to what writes them, as one renderer would."""

    def __init__(self, renderer: Renderer, whole: bool) -> None:
        self._render = renderer.write
        self._quoting = renderer.quoting
        self._structures = renderer.brief and not whole and not renderer.undecoded

    def value(self, decode: Decode) -> Write:
        """Write a value, once it is decoded."""
        render = self._render

        def write(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Any:
            value = decode(ctx, raw, frame)
            if value is None or value is LATER:
                return value
            if type(value) is Became:
                return Continuation(render(value))
            return render(value)

        return write

    def argument(self, kind: Type, scope: Scope, decode: Decode, prefix: str = "") -> Write:
        """Write an argument or a field."""
        # Subclasses mean something else: they are decoded, unless they are listed here.
        if kind.by_number():
            return _remembering(self.number(kind, scope, decode), prefix, {})
        if type(kind) is ByAbi:
            return self.argument(kind.under(scope.abi), scope, decode, prefix)
        if type(kind) is Conditional:
            return self._conditional(kind, scope, prefix)
        write = self._pointer(kind, scope) or self.value(decode)
        if not prefix:
            return write

        def write_named(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Any:
            text = write(ctx, raw, frame)
            return text if text is None else prefix + text

        return write_named

    def _pointer(self, kind: Type, scope: Scope) -> Write | None:
        if type(kind) is Out:
            return self._out(kind, scope)
        if type(kind) is In:
            return self.at(kind.inner, scope)
        # A structure that stands here itself is no pointer to one.
        return self.at(kind, scope) if isinstance(kind, Pointee) else None

    def number(self, kind: Type, scope: Scope, decode: Decode) -> Callable[[Context, Any], str]:
        """Write what is told by a number alone."""
        if type(kind) is Pointer:
            cut = kind.number(scope.abi)
            return lambda ctx, raw: _address(cut(raw))
        if type(kind) is Number and kind.base is Base.DEC:
            number = kind.number(scope.abi)
            return lambda ctx, raw: str(number(raw))
        render = self._render
        return lambda ctx, raw: render(decode(ctx, raw, ()))

    def at(self, kind: Type, scope: Scope) -> Write | None:
        """Write what lies at an address; None for what has to be decoded."""
        if type(kind) is ByAbi:
            return self.at(kind.under(scope.abi), scope)
        if type(kind) is Path:
            return self._path()
        if type(kind) is Cstr:
            return self._string()
        if type(kind) is Bytes and not kind.escaped:
            return self._buffer(kind, scope)
        if type(kind) is StructOf and self._structures and kind.brief != frozenset():
            return self._structure(kind, scope)
        return None

    def _conditional(self, kind: Conditional, scope: Scope, prefix: str) -> Write:
        holds = kind.condition.bind(scope)
        inner = self.argument(kind.inner, scope, kind.inner.bind(scope), prefix)
        return lambda ctx, raw, frame: inner(ctx, raw, frame) if holds(ctx, frame) else None

    def _out(self, kind: Out, scope: Scope) -> Write | None:
        inner = self.at(kind.inner, scope)
        if inner is None:
            return None
        failed = kind.failed

        def write(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            if ctx.failed and not failed:
                return hex(raw) if raw else "NULL"
            return inner(ctx, raw, frame)

        return write

    def _path(self) -> Write:
        quoting = self._quoting

        def write(ctx: Context, raw: int, frame: tuple[Any, ...]) -> str:
            found = ctx.memory.read_cstr(raw, PATH_MAX)
            if not isinstance(found, CString):
                return _address(raw)
            if found.terminated:
                return f'"{quote(found.data, quoting)}"'
            return f'"{quote(found.data[: PATH_MAX - 1], quoting)}"...'

        return write

    def _string(self) -> Write:
        quoting = self._quoting

        def write(ctx: Context, raw: int, frame: tuple[Any, ...]) -> str:
            limit = ctx.string_bytes
            found = ctx.memory.read_cstr(raw, limit + 1)
            if not isinstance(found, CString):
                return _address(raw)
            data = found.data
            text = quote(data[:limit], quoting)
            return f'"{text}"...' if not found.terminated or len(data) > limit else f'"{text}"'

        return write

    def _buffer(self, kind: Bytes, scope: Scope) -> Write:
        number, unit, path = scope.number(kind.length), kind.unit, kind.path
        quoting = self._quoting

        def write(ctx: Context, raw: int, frame: tuple[Any, ...]) -> str:
            length = number(ctx, frame) * unit if raw else -1
            if length < 0:
                return _address(raw)
            limit = length if path or length <= ctx.string_bytes else ctx.string_bytes
            data = ctx.memory.read(raw, limit) if limit else b""
            if not isinstance(data, bytes):
                return _address(raw)
            text = quote(data, quoting)
            return f'"{text}"...' if length > limit else f'"{text}"'

        return write

    def _structure(self, kind: StructOf, scope: Scope) -> Write:
        size, _, _ = kind.measure(scope.abi)
        unpack, inner, fields = kind.few(scope)
        more = ["..."] if kind.brief is not None else []
        steps = [
            (index, self.argument(kind.fields[name], inner, decode, f"{name}=" if name else ""))
            for name, index, decode in fields
        ]

        def write(ctx: Context, raw: int, frame: tuple[Any, ...]) -> str:
            if not raw:
                return "NULL"
            data = ctx.memory.read(raw, size)
            if not isinstance(data, bytes):
                return hex(raw)
            found = unpack(data)
            texts = [text for i, step in steps if (text := step(ctx, found[i], found)) is not None]
            return "{" + ", ".join(texts + more) + "}"

        return write
