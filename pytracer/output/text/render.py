"""Values as strace writes them."""

from __future__ import annotations

from itertools import accumulate

from pytracer.output.style import Quoting, Style, Xlats
from pytracer.output.text.quote import hexadecimal, quote, quote_inside
from pytracer.output.values import ValueOutput
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Became,
    Changed,
    Descriptor,
    Flags,
    Function,
    Integer,
    Joined,
    Noted,
    Phrase,
    ProcessId,
    Reference,
    Set,
    Struct,
    Symbol,
    Text,
    Titled,
    Unavailable,
    Value,
)

# Enumeration members are slow to look up on Python 3.11.
_DEC, _HEX, _MODE = Base.DEC, Base.HEX, Base.MODE


def integer(value: int, base: Base) -> str:
    """Write a number in its customary base, a zero without prefix as printf's %#x does."""
    if base is _DEC:
        return str(value)
    if base is _HEX:
        return hex(value) if value else "0"
    if base is _MODE:
        return f"0{value:o}" if value > 0o77 else f"{value:03o}"
    return f"0{value:o}" if value else "0"


class Renderer(ValueOutput):
    """Writes values in one style.

    ``undecoded``: show structures and arrays as their addresses. ``brief``: abbreviate, whatever
    the style says.
    """

    def __init__(self, style: Style, undecoded: bool = False, brief: bool | None = None) -> None:
        super().__init__((Integer, Address, ProcessId))
        self.style = style
        self.undecoded = undecoded
        self.xlats = style.xlats
        self.quoting = style.quoting
        # A NUL is reason enough for these to write a string in hexadecimal.
        self._in_hex = self.quoting in (Quoting.HEX_UNPRINTABLE, Quoting.HEX_ALL)
        self.brief = style.abbreviate if brief is None else brief

    def write(self, value: Value) -> str:
        """Write one value."""
        return self._writers[type(value)](value)

    def arguments(self, values: list[tuple[str, Value]]) -> str:
        """Write arguments without their names, separated as they are in a call."""
        known, writers = self._remembered.get, self._argument_writers
        return ", ".join([known(value) or writers[type(value)](value) for _, value in values])

    def remark(self, value: Value) -> str:
        """Write what is said about a result; nothing of structures that are not to be decoded."""
        if self.undecoded and isinstance(value, Joined) and value.decoded:
            return ""
        if self.xlats is Xlats.RAW and isinstance(value, Function):
            return ""
        return self.write(value)

    def _integer(self, value: Integer) -> str:
        return integer(value.value, value.base)

    def _address(self, value: Address) -> str:
        return hex(value.value) if value.value else "NULL"

    def _unavailable(self, value: Unavailable) -> str:
        return hex(value.address)

    def _symbol(self, value: Symbol) -> str:
        text = self._remembered.get(value)
        if text is not None:
            return text
        number = integer(value.value, value.base)
        if value.name is None:
            text = f"{number} /* {value.unknown} */" if value.unknown else number
            if self.xlats is Xlats.RAW:
                text = number
        elif self.xlats is Xlats.RAW:
            text = number
        elif self.xlats is Xlats.VERBOSE:
            text = f"{number} /* {value.name} */"
        else:
            text = value.name
        return self._remember(value, text)

    def _flags(self, value: Flags) -> str:
        text = self._remembered.get(value)
        if text is not None:
            return text
        tail = None if value.tail is None else self.write(value.tail)
        number = integer(value.value, value.base)
        if self.xlats is Xlats.RAW:
            text = "" if value.silent and not value.value else number
        else:
            parts = list(value.names)
            if value.rest:
                parts.append(integer(value.rest, value.base))
            if tail is not None:
                parts.append(tail)
            if not parts:
                text = "" if value.silent else number
            elif not value.names and value.rest and value.unknown:
                text = f"{number} /* {value.unknown} */"
            elif self.xlats is Xlats.VERBOSE and value.names:
                text = f"{number} /* {'|'.join(parts)} */"
            else:
                text = "|".join(parts)
        return self._remember(value, text)

    def _text(self, value: Text) -> str:
        if value.terminated and value.data.endswith(b"\0") and not self._in_hex:
            return f'"{quote(value.data[:-1], self.quoting)}"'
        body = hexadecimal(value.data) if value.escaped else quote(value.data, self.quoting)
        return f'"{body}"...' if value.more else f'"{body}"'

    def _descriptor(self, value: Descriptor) -> str:
        text = value.name or str(value.value)
        if value.name is not None and self.xlats is not Xlats.ABBREV:
            number = str(value.value)
            text = number if self.xlats is Xlats.RAW else f"{number} /* {value.name} */"
        if value.about is None:
            return self._remember(value, text)
        return text + self.reference(value.about)

    def reference(self, value: Reference) -> str:
        """Write what a descriptor refers to, in angle brackets."""
        if value.path is None:
            return f"<{value.text}>"
        text = quote_inside(value.path, self.quoting)
        if value.device:
            return f"<{text}<{value.device}>>"
        return f"<{text}>(deleted)" if value.deleted else f"<{text}>"

    def _process(self, value: ProcessId) -> str:
        text = str(value.value)
        if value.comm is not None:
            text = f"{text}<{value.comm}>"
        if value.translated is not None:
            text = f"{text} /* {value.translated} in strace's PID NS */"
        return text

    def _struct(self, value: Struct) -> str:
        if self.undecoded and value.address:
            return hex(value.address)
        writers, fields, more = self._writers, value.fields, value.more
        if self.brief and value.brief is not None:
            if not value.brief:
                return hex(value.address)
            more = True
            fields = tuple([field for field in fields if field[0] in value.brief])
        parts = [
            f"{name}={writers[type(field)](field)}" if name else writers[type(field)](field)
            for name, field in fields
        ]
        if more:
            parts.append("...")
        return "{" + ", ".join(parts) + "}"

    def _array(self, value: Array) -> str:
        if self.undecoded and value.address and (value.items or value.note):
            return hex(value.address)
        items = value.items
        more = value.more
        if self.brief and value.hidden:
            text = hex(value.address)
            return f"{text} /* {value.note} */" if value.note else text
        if self.brief and value.brief is not None and (len(items) > value.brief or value.note):
            items = items[: value.brief]
            more = True
        parts = [self.write(item) for item in items]
        if value.room:
            fitting = sum(end < value.room for end in accumulate(len(part) + 2 for part in parts))
            more = more or fitting < len(parts)
            parts = parts[:fitting]
        if value.unreadable_at:
            parts.append(f"... /* {value.unreadable_at:#x} */")
        elif more:
            parts.append("...")
        return "[" + ", ".join(parts) + "]"

    def _set(self, value: Set) -> str:
        if self.undecoded and value.address:
            return hex(value.address)
        items = value.items
        if value.members:
            items = tuple(map(self.write, value.members))
        elif value.numbers and self.xlats is not Xlats.ABBREV:
            verbose = self.xlats is Xlats.VERBOSE
            items = tuple(
                f"{number} /* {name} */" if verbose else str(number)
                for number, name in zip(value.numbers, items, strict=True)
            )
        body = "[" + " ".join(items) + "]"
        return "~" + body if value.inverted else body

    def _changed(self, value: Changed) -> str:
        if self.undecoded and isinstance(value.before, Struct | Array) and value.before.address:
            # An address does not become another one.
            return self.write(value.before)
        return f"{self.write(value.before)} => {self.write(value.after)}"

    def _became(self, value: Became) -> str:
        return f"=> {self.write(value.value)}"

    def _noted(self, value: Noted) -> str:
        raw = self.xlats is Xlats.RAW
        if value.instead and self.xlats is Xlats.ABBREV:
            return value.note
        text = self.write(value.value)
        if not value.note or (raw and (value.instead or value.unless_raw)):
            return text
        if value.only_raw and not raw:
            return text
        note = value.verbose if value.verbose and self.xlats is Xlats.VERBOSE else value.note
        return f"{text} /* {note} */"

    def _function(self, value: Function) -> str:
        args = ", ".join(map(self.write, value.args))
        if value.raw is None or self.xlats is Xlats.ABBREV:
            return f"{value.name}({args}{', &' + value.title if value.title else ''})"
        raw = self.write(value.raw)
        if value.title:
            raw = f"{value.title}={raw}"
        return raw if self.xlats is Xlats.RAW else f"{raw} /* {value.name}({args}) */"

    def _phrase(self, value: Phrase) -> str:
        return "" if value.unless_raw and self.xlats is Xlats.RAW else value.text

    def _joined(self, value: Joined) -> str:
        return value.separator.join(map(self.write, value.parts))

    def _titled(self, value: Titled) -> str:
        return f"{value.title}={self.write(value.value)}"
