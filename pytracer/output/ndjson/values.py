"""Values as JSON.

What each value looks like is declared, for the schema, in :mod:`pytracer.output.ndjson.shapes`, and
told to users in docs/json.md. JSON is put together from strings: building dictionaries for the
json module costs three times as much.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as encode

from pytracer.output.ndjson.flags import Combined, combine
from pytracer.output.ndjson.words import without_words
from pytracer.output.values import ValueOutput
from pytracer.spec.values import (
    Address,
    Array,
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
    Set,
    Struct,
    Symbol,
    Text,
    Titled,
    Unavailable,
    Value,
)

# Marks what goes on: no field of a structure is called so.
MORE = "_more"
# Phrases that stand, without a name, for fields that are not known.
_ELLIPSES = ("...", "???")


def string(data: bytes) -> str:
    """Write bytes of the target: a string if they are UTF-8, else an object that has them all."""
    try:
        return encode(data.decode())
    except UnicodeDecodeError:
        return f"{{{_exact(data)}}}"


def _exact(data: bytes) -> str:
    try:
        return f'"text":{encode(data.decode())}'
    except UnicodeDecodeError:
        return f'"text":{encode(data.decode("utf-8", "replace"))},"hex":"{data.hex()}"'


def name(text: str) -> str:
    """Write a name that Python has decoded from bytes of the target, such as a task's."""
    return string(text.encode("utf-8", "surrogateescape"))


def _number_or_name(item: str) -> str:
    return item if item.isdecimal() else encode(item)


class _Keys(dict[str, str]):
    """Names as JSON keys, colon included; there are as many as the tables know."""

    def __missing__(self, name: str) -> str:
        if not name:
            raise KeyError(name)
        key = self[name] = f"{encode(name)}:"
        return key


class ValueWriter(ValueOutput):
    """Writes values.

    ``whole``: structures were decoded whole, so that none of their fields is missing (-v).
    ``undecoded``: structures and arrays are shown as their addresses (-e verbose=).
    """

    def __init__(self, whole: bool = False, undecoded: bool = False) -> None:
        super().__init__((Integer, Address))
        self.whole = whole
        self.undecoded = undecoded
        self._keys = _Keys()
        # It continues the argument before it: the KeyError has them written the long way.
        del self._argument_writers[Became]

    def write(self, value: Value) -> str:
        """Write one value."""
        return self._remembered.get(value) or self._writers[type(value)](value)

    def key(self, name: str) -> str:
        """Write a name as the key of a member.

        Errors: KeyError for an empty one.
        """
        return self._keys[name]

    def arguments(self, values: list[tuple[str, Value]]) -> str:
        """Write the arguments of a call as the members of an object, without its braces."""
        known, writers, keys = self._remembered.get, self._argument_writers, self._keys
        try:
            return ",".join(
                [
                    keys[name] + (known(value) or writers[type(value)](value))
                    for name, value in values
                ]
            )
        except KeyError:
            # One without a name, or one that continues the one before it.
            return ",".join(self._members(tuple(values))[0])

    def _members(self, fields: tuple[tuple[str, Value], ...]) -> tuple[list[str], bool]:
        """Write named values, some of which may have no name, and say whether there are more."""
        found: dict[str, str] = {}
        more = False
        for i, (name, value) in enumerate(fields, 1):
            if isinstance(value, Became) and found:
                # It continues the argument before it.
                last = next(reversed(found))
                found[last] = self._pair(found[last], self.write(value.value))
                continue
            if not name:
                if isinstance(value, Phrase) and value.text in _ELLIPSES:
                    more = True
                    continue
                if isinstance(value, Titled):
                    name, value = value.title, value.value
                elif isinstance(value, Function) and value.title:
                    name = value.title
            key = name or f"_{i}"
            while key in found:
                key += "_"
            found[key] = self.write(value)
        return [self._keys[key] + text for key, text in found.items()], more

    # Numbers

    def _integer(self, value: Integer) -> str:
        return f"{value.value:d}"

    def _address(self, value: Address) -> str:
        return f'"{value.value:#x}"' if value.value else "null"

    def _unavailable(self, value: Unavailable) -> str:
        return f'{{"address":"{value.address:#x}","unreadable":{encode(value.reason)}}}'

    def _symbol(self, value: Symbol) -> str:
        name = "null" if value.name is None else encode(value.name)
        return self._remember(value, f'{{"value":{value.value:d},"name":{name}}}')

    def _flags(self, value: Flags) -> str:
        found = combine(value)
        if found is None:
            # A tail that is no number: nothing has one today, and nothing is left out.
            assert value.tail is not None
            found = Combined(value.value, value.names, value.rest)
        return self._remember(value, self._combined(value.value, found))

    def _combined(self, value: int, found: Combined) -> str:
        names = ",".join(map(encode, found.names))
        rest = f',"rest":{found.rest:d}' if found.rest else ""
        return f'{{"value":{value:d},"flags":[{names}]{rest}}}'

    def _joined(self, value: Joined) -> str:
        found = combine(value)
        if found is not None:
            number = found.value if value.value is None else value.value
            return self._remember(value, self._combined(number, found))
        plain = without_words(value)
        if plain is not None:
            return self.write(plain)
        parts = ",".join(map(self.write, value.parts))
        return f'{{"parts":[{parts}],"separator":{encode(value.separator)}}}'

    # Descriptors and processes

    def _descriptor(self, value: Descriptor) -> str:
        text = f'{{"fd":{value.value:d}'
        if value.name is not None:
            text = f'{text},"name":{encode(value.name)}'
        about = value.about
        if about is None:
            return self._remember(value, text + "}")
        if about.path is None:
            return f'{text},"about":{name(about.text)}}}'
        text = f'{text},"path":{string(about.path)}'
        if about.device:
            text = f'{text},"device":{encode(about.device)}'
        return f'{text},"deleted":true}}' if about.deleted else text + "}"

    def _process(self, value: ProcessId) -> str:
        text = f'{{"pid":{value.value:d}'
        if value.comm is not None:
            text = f'{text},"comm":{name(value.comm)}'
        if value.translated is not None:
            text = f'{text},"translated":{value.translated:d}'
        return text + "}"

    # Strings

    def _text(self, value: Text) -> str:
        data = value.data
        if value.escaped:
            more = ',"truncated":true' if value.more else ""
            return f'{{"hex":"{data.hex()}"{more}}}'
        if value.terminated and data.endswith(b"\0"):
            return string(data[:-1])
        if value.more:
            return f'{{{_exact(data)},"truncated":true}}'
        try:
            return encode(data.decode())
        except UnicodeDecodeError:
            return string(data)

    def _phrase(self, value: Phrase) -> str:
        if value.meant is not None:
            return self.write(value.meant)
        number = "" if value.value is None else f',"value":{value.value:d}'
        return f'{{"phrase":{encode(value.text)}{number}}}'

    # What is made of other values

    def _struct(self, value: Struct) -> str:
        if self.undecoded and value.address:
            return f'"{value.address:#x}"'
        fields = value.fields
        more = value.more or (value.brief is not None and not self.whole)
        # None without a name, and none twice.
        if "" not in (names := dict(fields)) and len(names) == len(fields):
            known, writers, keys = self._remembered.get, self._writers, self._keys
            parts = [
                keys[name] + (known(field) or writers[type(field)](field)) for name, field in fields
            ]
        else:
            parts, unknown = self._members(fields)
            more = more or unknown
        if more:
            parts.append(f'"{MORE}":true')
        return "{" + ",".join(parts) + "}"

    def _array(self, value: Array) -> str:
        if self.undecoded and value.address and (value.items or value.note):
            return f'"{value.address:#x}"'
        text = f"[{','.join(map(self.write, value.items))}]"
        hidden = value.hidden and not self.whole
        if not (value.more or value.unreadable_at or value.note or hidden):
            return text
        text = f'{{"items":{text}'
        if value.note:
            text = f'{text},"note":{encode(value.note)}'
        if value.unreadable_at:
            text = f'{text},"unreadable_at":"{value.unreadable_at:#x}"'
        return f'{text},"truncated":true}}' if value.more or hidden else text + "}"

    def _set(self, value: Set) -> str:
        if self.undecoded and value.address:
            return f'"{value.address:#x}"'
        names = value.items
        more = names[-1:] == ("...",)
        if value.members:
            items = map(self.write, value.members)
        elif value.numbers:
            items = map(encode, names)
        else:
            items = map(_number_or_name, names[:-1] if more else names)
        text = f'{{"set":[{",".join(items)}]'
        if value.numbers:
            text = f'{text},"numbers":[{",".join(map(str, value.numbers))}]'
        if more:
            text = f'{text},"truncated":true'
        return f'{text},"inverted":true}}' if value.inverted else text + "}"

    def _pair(self, before: str, after: str) -> str:
        return f'{{"before":{before},"after":{after}}}'

    def _changed(self, value: Changed) -> str:
        return self._pair(self.write(value.before), self.write(value.after))

    def _became(self, value: Became) -> str:
        return f'{{"after":{self.write(value.value)}}}'

    def _noted(self, value: Noted) -> str:
        text = self.write(value.value)
        if not value.note or value.only_raw:
            return text
        key = "name" if value.instead else "note"
        return f'{{"value":{text},"{key}":{encode(value.note)}}}'

    def _function(self, value: Function) -> str:
        args = ",".join(map(self.write, value.args))
        raw = "" if value.raw is None else f',"raw":{self.write(value.raw)}'
        return f'{{"function":{encode(value.name)},"args":[{args}]{raw}}}'

    def _titled(self, value: Titled) -> str:
        return f'{{"title":{encode(value.title)},"value":{self.write(value.value)}}}'
