"""struct sigevent: how to be told that something happened, include/uapi/asm-generic/siginfo.h."""

from __future__ import annotations

import struct
from typing import Any, Final

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Address, Base, Integer, Struct, Symbol, Value
from pytracer.tables.constants.signals import (
    SIGEV_NOTIFY,
    SIGEV_SIGNAL,
    SIGEV_THREAD,
    SIGEV_THREAD_ID,
)
from pytracer.tables.structs.signal import signal_name

SIGEVENT_BYTES: Final = 64  # SIGEV_MAX_SIZE


class SigEvent(Type):
    """What to do: nothing, send a signal, wake a thread, start a function."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return SIGEVENT_BYTES, abi.word, f"{SIGEVENT_BYTES}s"

    def bind(self, scope: Scope) -> Decode:
        word = "Q" if scope.abi.word == 8 else "I"
        unpack = struct.Struct(f"<{word}ii").unpack_from
        pair = struct.Struct(f"<{word}{word}").unpack_from
        union = scope.abi.word + 8

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            data, signo, notify = unpack(raw)
            fields: list[tuple[str, Value]] = []
            if data:
                number = int.from_bytes(raw[:4], "little", signed=True)
                union_value = (("sival_int", Integer(number)), ("sival_ptr", Address(data)))
                fields.append(("sigev_value", Struct(union_value)))
            if notify in (SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID):
                fields.append(("sigev_signo", Symbol(signo, signal_name(signo), "", Base.DEC)))
            else:
                fields.append(("sigev_signo", Integer(signo & 0xFFFFFFFF)))
            kind = notify & 0xFFFFFFFF
            name = SIGEV_NOTIFY.name_of(notify)
            fields.append(("sigev_notify", Symbol(kind, name, SIGEV_NOTIFY.unknown)))
            if notify == SIGEV_THREAD_ID:
                tid = int.from_bytes(raw[union : union + 4], "little", signed=True)
                fields.append(("sigev_notify_thread_id", Integer(tid)))
            elif notify == SIGEV_THREAD:
                function, attributes = pair(raw, union)
                fields.append(("sigev_notify_function", Address(function)))
                fields.append(("sigev_notify_attributes", Address(attributes)))
            return Struct(tuple(fields))

        return decode


SIGEVENT = SigEvent()
