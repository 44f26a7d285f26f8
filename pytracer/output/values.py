"""Which method writes a value, and what has been written before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

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

# How many shared values' texts are remembered.
MEMORY_LIMIT: Final = 1 << 16


class ValueOutput(ABC):
    """Writes values, each kind in its own way.

    ``shared``: kinds that decoders mostly share where they are arguments, and hardly ever in
    structures.
    """

    def __init__(self, shared: tuple[type, ...]) -> None:
        # Values that decoders share are written once; keyed by identity.
        self._remembered: dict[Value, str] = {}
        self._writers: dict[type, Callable[[Any], str]] = {
            Integer: self._integer,
            Address: self._address,
            Symbol: self._symbol,
            Flags: self._flags,
            Text: self._text,
            Descriptor: self._descriptor,
            ProcessId: self._process,
            Struct: self._struct,
            Array: self._array,
            Set: self._set,
            Changed: self._changed,
            Became: self._became,
            Noted: self._noted,
            Function: self._function,
            Phrase: self._phrase,
            Joined: self._joined,
            Titled: self._titled,
            Unavailable: self._unavailable,
        }
        self._argument_writers = self._writers | {
            kind: self._remembering(self._writers[kind]) for kind in shared
        }

    def _remembering(self, write: Callable[[Any], str]) -> Callable[[Any], str]:
        return lambda value: self._remember(value, write(value))

    def _remember(self, value: Value, text: str) -> str:
        if len(self._remembered) >= MEMORY_LIMIT:
            # Among them are values that were not shared after all; those that are come back.
            self._remembered.clear()
        self._remembered[value] = text
        return text

    @abstractmethod
    def write(self, value: Value) -> str:
        """Write one value."""

    @abstractmethod
    def _integer(self, value: Integer) -> str: ...

    @abstractmethod
    def _address(self, value: Address) -> str: ...

    @abstractmethod
    def _symbol(self, value: Symbol) -> str: ...

    @abstractmethod
    def _flags(self, value: Flags) -> str: ...

    @abstractmethod
    def _text(self, value: Text) -> str: ...

    @abstractmethod
    def _descriptor(self, value: Descriptor) -> str: ...

    @abstractmethod
    def _process(self, value: ProcessId) -> str: ...

    @abstractmethod
    def _struct(self, value: Struct) -> str: ...

    @abstractmethod
    def _array(self, value: Array) -> str: ...

    @abstractmethod
    def _set(self, value: Set) -> str: ...

    @abstractmethod
    def _changed(self, value: Changed) -> str: ...

    @abstractmethod
    def _became(self, value: Became) -> str: ...

    @abstractmethod
    def _noted(self, value: Noted) -> str: ...

    @abstractmethod
    def _function(self, value: Function) -> str: ...

    @abstractmethod
    def _phrase(self, value: Phrase) -> str: ...

    @abstractmethod
    def _joined(self, value: Joined) -> str: ...

    @abstractmethod
    def _titled(self, value: Titled) -> str: ...

    @abstractmethod
    def _unavailable(self, value: Unavailable) -> str: ...
