"""Requests of the device mapper: a header, and what the request passes behind it.

Source: include/uapi/linux/dm-ioctl.h, Linux 7.2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT
from pytracer.spec.scalar import FlagSet
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Changed,
    Integer,
    Noted,
    Phrase,
    Struct,
    Text,
    Value,
)
from pytracer.tables.constants.block import DM_DATA_OUT_FLAG, DM_FLAGS, DM_SUSPEND_FLAG
from pytracer.tables.structs.mode import Device

Fields: TypeAlias = list[tuple[str, Value]]

_HEADER = struct.Struct("<IIIIIIIIIIQ128s129s")
_DATA: Final = 305  # offsetof(struct dm_ioctl, data)
_SMALLEST: Final = 12  # offsetof(struct dm_ioctl, data_size)
_MAJOR: Final = 4  # DM_VERSION_MAJOR
_MOST_DEVICES: Final = 1 << 16  # that are shown of those that a table needs
_EVENTS_SINCE: Final = 37  # the minor version in which names of devices got the number of an event

_FLAGS = FlagSet(DM_FLAGS)
_DEVICE = Device("u64")


class _Ioctl:
    """struct dm_ioctl as it lies in memory, and the memory behind it."""

    def __init__(self, ctx: Context, address: int, data: bytes, exiting: bool) -> None:
        self.ctx, self.address, self.exiting = ctx, address, exiting
        fields = _HEADER.unpack_from(data)
        self.version = fields[:3]
        self.size, self.start, self.targets, self.opened, self.flags, self.event = fields[3:9]
        self.device, self.name, self.uuid = fields[10:]

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells that the kernel has answered, even with an error."""
        return *self.version, self.size, self.start, self.flags

    def read(self, offset: int, size: int) -> bytes | None:
        """Bytes of what is passed."""
        data = self.ctx.memory.read(self.address + offset, size)
        return data if isinstance(data, bytes) else None

    def string(self, offset: int) -> tuple[Value, int]:
        """A string of what is passed, and its bytes with the NUL; 0 when no NUL was seen."""
        most = self.ctx.string_bytes
        wanted = min(self.size - offset, most + 1)
        if not wanted:
            return Text(b""), 0
        found = self.ctx.memory.read_some(self.address + offset, wanted)
        if not isinstance(found, bytes):
            return Address(self.address + offset), 0
        end = found.find(b"\0")
        if end < 0:
            if len(found) < wanted:
                return Address(self.address + offset), 0
            return Text(found[:most], True), 0
        return Text(found[:end]), end + 1


Payload: TypeAlias = Callable[[_Ioctl], list[Value]]


def _misplaced(what: str) -> Value:
    return Noted(Phrase("???"), f"misplaced {what}")


def _numbers_of(numbers: tuple[int, ...]) -> Value:
    return Array(tuple(Integer(number) for number in numbers))


def _target(ioctl: _Ioctl, offset: int) -> tuple[Value | None, int]:
    data = ioctl.read(offset, 40)
    if data is None:
        return None, 0
    start, length, status, following, kind = struct.unpack("<QQiI16s", data)
    fields: Fields = [("sector_start", Integer(start)), ("length", Integer(length))]
    if ioctl.exiting:
        fields.append(("status", Integer(status)))
    fields.append(("target_type", _characters(kind)))
    fields.append(("string", ioctl.string(offset + 40)[0]))
    return Struct(tuple(fields)), following


def _targets(ioctl: _Ioctl) -> list[Value]:
    """Targets of a table, one after the other."""
    if not ioctl.ctx.whole:
        return [Phrase("...")] if ioctl.targets else []
    items: list[Value] = []
    offset, end = ioctl.start, 0
    for index in range(ioctl.targets):
        if index and offset <= end:
            return [*items, _misplaced("struct dm_target_spec")]
        end = offset + 40 & 0xFFFFFFFF
        if end <= offset or end > ioctl.size:
            return [*items, _misplaced("struct dm_target_spec")]
        if index >= ioctl.ctx.string_bytes:
            return [*items, Phrase("...")]
        target, following = _target(ioctl, offset)
        if target is None:
            return [*items, Address(ioctl.address + offset)]
        items.append(target)
        base = ioctl.start if ioctl.exiting else offset
        offset = base + following & 0xFFFFFFFF
    return items


def _dependencies(ioctl: _Ioctl) -> list[Value]:
    """The devices that a table needs."""
    if ioctl.start == ioctl.size:
        return []
    if not ioctl.ctx.whole:
        return [Phrase("...")]
    end = ioctl.start + 8 & 0xFFFFFFFF
    if end <= ioctl.start or end > ioctl.size:
        return [_misplaced("struct dm_target_deps")]
    head = ioctl.read(ioctl.start, 8)
    if head is None:
        return [Address(ioctl.address + ioctl.start)]
    count = int.from_bytes(head[:4], "little")
    if count > (ioctl.size - end) // 8:
        return [_misplaced("struct dm_target_deps")]
    numbers = ioctl.read(end, 8 * min(count, _MOST_DEVICES)) if count else b""
    devices: Value = Address(ioctl.address + end)
    if numbers is not None:
        items = (_DEVICE.make(number) for (number,) in struct.iter_unpack("<Q", numbers))
        devices = Array(tuple(items), more=count > _MOST_DEVICES)
    return [Struct((("count", Integer(count)), ("deps", devices)))]


def _listed(
    ioctl: _Ioctl, what: str, name_at: int, one: Callable[[_Ioctl, int, bytes], Fields]
) -> list[Value]:
    """A list, each entry of which says how far it is to the next."""
    if ioctl.start == ioctl.size:
        return []
    if not ioctl.ctx.whole:
        return [Phrase("...")]
    items: list[Value] = []
    offset, end = ioctl.start, 0
    while True:
        if items and offset <= end:
            return [*items, _misplaced(what)]
        end = offset + name_at & 0xFFFFFFFF
        if end <= offset or end > ioctl.size:
            return [*items, _misplaced(what)]
        if len(items) >= ioctl.ctx.string_bytes:
            return [*items, Phrase("...")]
        data = ioctl.read(offset, 16)
        if data is None:
            return [*items, Address(ioctl.address + offset)]
        items.append(Struct(tuple(one(ioctl, offset, data))))
        (following,) = struct.unpack_from("<I", data, 8 if name_at == 12 else 0)
        if not following:
            return items
        offset = offset + following & 0xFFFFFFFF


def _device(ioctl: _Ioctl, offset: int, data: bytes) -> Fields:
    number, following = struct.unpack_from("<QI", data)
    name, length = ioctl.string(offset + 12)
    fields: Fields = [("dev", _DEVICE.make(number)), ("name", name)]
    if length and ioctl.version[1] >= _EVENTS_SINCE:
        # The number stands behind the name, aligned, if there is room for it.
        place = ioctl.address + offset + 12 + length + 7 & ~7
        event = None
        if place + 4 <= ioctl.address + offset + following:
            event = ioctl.read(place - ioctl.address, 4)
        if event is not None:
            fields.append(("event_nr", Integer(int.from_bytes(event, "little"))))
    return fields


def _version(ioctl: _Ioctl, offset: int, data: bytes) -> Fields:
    numbers = struct.unpack_from("<III", data, 4)
    return [("name", ioctl.string(offset + 16)[0]), ("version", _numbers_of(numbers))]


def _devices(ioctl: _Ioctl) -> list[Value]:
    return _listed(ioctl, "struct dm_name_list", 12, _device)


def _versions(ioctl: _Ioctl) -> list[Value]:
    return _listed(ioctl, "struct dm_target_versions", 16, _version)


def _message(ioctl: _Ioctl) -> list[Value]:
    if ioctl.start == ioctl.size:
        return []
    if not ioctl.ctx.whole:
        return [Phrase("...")]
    end = ioctl.start + 8 & 0xFFFFFFFF
    if end <= ioctl.start or end > ioctl.size:
        return [_misplaced("struct dm_target_msg")]
    head = ioctl.read(ioctl.start, 8)
    if head is None:
        return [Address(ioctl.address + ioctl.start)]
    sector = Integer(int.from_bytes(head, "little"))
    return [Struct((("sector", sector), ("message", ioctl.string(end)[0])))]


def _plain_string(ioctl: _Ioctl) -> list[Value]:
    if not ioctl.ctx.whole:
        return [Phrase("...")]
    if ioctl.start > ioctl.size:
        return [_misplaced("string")]
    return [Struct((("string", ioctl.string(ioctl.start)[0]),))]


def _answer_string(ioctl: _Ioctl) -> list[Value]:
    return _plain_string(ioctl) if ioctl.flags & DM_DATA_OUT_FLAG else []


def _characters(data: bytes) -> Value:
    end = data.find(b"\0")
    return Text(data[:end], end < 0)


_EVENT_ASKED = {"DM_DEV_RENAME", "DM_DEV_REMOVE", "DM_DEV_WAIT"}
_COUNTS_TOLD = {
    *("DM_DEV_CREATE", "DM_DEV_RENAME", "DM_DEV_SUSPEND", "DM_DEV_STATUS", "DM_DEV_WAIT"),
    *("DM_TABLE_LOAD", "DM_TABLE_CLEAR", "DM_TABLE_DEPS", "DM_TABLE_STATUS", "DM_TARGET_MSG"),
}
_NO_DEVICE = {"DM_REMOVE_ALL", "DM_LIST_DEVICES", "DM_LIST_VERSIONS"}
_NO_DATA = {
    *("DM_VERSION", "DM_REMOVE_ALL", "DM_DEV_CREATE", "DM_DEV_REMOVE", "DM_DEV_SUSPEND"),
    *("DM_DEV_STATUS", "DM_TABLE_CLEAR", "DM_DEV_ARM_POLL"),
}
# What is passed, and what comes back.
_PASSED: dict[str, Payload] = {
    "DM_TABLE_LOAD": _targets,
    "DM_TARGET_MSG": _message,
    "DM_DEV_RENAME": _plain_string,
    "DM_DEV_SET_GEOMETRY": _plain_string,
}
_ANSWERED: dict[str, Payload] = {
    "DM_DEV_WAIT": _targets,
    "DM_TABLE_STATUS": _targets,
    "DM_TABLE_DEPS": _dependencies,
    "DM_LIST_DEVICES": _devices,
    "DM_LIST_VERSIONS": _versions,
    "DM_TARGET_MSG": _answer_string,
}


class _Mapper(Type):
    """The argument of a request: as it was and, unless it failed unnoticed, as it came back."""

    ctype = "kulong"

    def __init__(self, name: str) -> None:
        self.name = name

    def bind(self, scope: Scope) -> Decode:
        number = self.number(scope.abi)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            address = number(raw)
            if not ctx.exiting:
                found = self._read(ctx, address, False)
                ctx.saved[_Mapper] = None if found is None else (found.key, self._shown(found))
                return LATER
            before = ctx.saved.get(_Mapper)
            after = self._read(ctx, address, True)
            if after is None:
                return before[1] if before is not None else Integer(address, Base.HEX)
            if before is None:
                return self._shown(after)
            if ctx.failed and after.key == before[0]:
                return before[1]
            return Changed(before[1], self._shown(after))

        return decode

    def _read(self, ctx: Context, address: int, exiting: bool) -> _Ioctl | None:
        data = ctx.memory.read(address, _DATA) if address else None
        if not isinstance(data, bytes):
            return None
        found = _Ioctl(ctx, address, data, exiting)
        return found if found.size >= _SMALLEST else None

    def _shown(self, ioctl: _Ioctl) -> Value:
        name, failed = self.name, ioctl.exiting and ioctl.ctx.failed
        version = _numbers_of(ioctl.version)
        if ioctl.version[0] != _MAJOR:
            note = "unsupported device mapper ABI version"
            return Array((Struct((("version", Noted(version, note)),)),))
        fields: Fields = [("version", version)]
        size = Integer(ioctl.size)
        if ioctl.size < _DATA:
            fields.append(("data_size", Noted(size, "data_size too small")))
            return Array((Struct(tuple(fields)),))
        fields.append(("data_size", size))
        if name not in _NO_DATA:
            fields.append(("data_start", Integer(ioctl.start)))
        if name not in _NO_DEVICE:
            if ioctl.device:
                fields.append(("dev", _DEVICE.make(ioctl.device)))
            for title, text in (("name", ioctl.name), ("uuid", ioctl.uuid)):
                if text[0]:
                    fields.append((title, _characters(text)))
        fields.extend(self._numbers(ioctl, failed))
        fields.append(("flags", _FLAGS.make(ioctl.flags)))
        payload = (_ANSWERED if ioctl.exiting else _PASSED).get(name)
        parts = [] if payload is None or failed else payload(ioctl)
        return Array((Struct(tuple(fields)), *parts))

    def _numbers(self, ioctl: _Ioctl, failed: bool) -> Fields:
        name, event = self.name, ("event_nr", Integer(ioctl.event))
        targets = ("target_count", Integer(ioctl.targets))
        if ioctl.exiting:
            told = not failed and name in _COUNTS_TOLD
            return [targets, ("open_count", Integer(ioctl.opened)), event] if told else []
        if name == "DM_TABLE_LOAD":
            return [targets]
        suspends = name == "DM_DEV_SUSPEND" and not ioctl.flags & DM_SUSPEND_FLAG
        return [event] if suspends or name in _EVENT_ASKED else []

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = CAPTURE_LIMIT if planning.whole else _DATA
        length = Length(From.CONST, limit)
        late = planning.at_exit(always=True)
        return (
            Fetch(at, planning.phase, length, limit),
            Fetch(at, late.phase, length, limit, always=True),
        )


_NAMES = """
    DM_VERSION DM_REMOVE_ALL DM_LIST_DEVICES DM_DEV_CREATE DM_DEV_REMOVE DM_DEV_RENAME
    DM_DEV_SUSPEND DM_DEV_STATUS DM_DEV_WAIT DM_TABLE_LOAD DM_TABLE_CLEAR DM_TABLE_DEPS
    DM_TABLE_STATUS DM_LIST_VERSIONS DM_TARGET_MSG DM_DEV_SET_GEOMETRY DM_DEV_ARM_POLL
"""
REQUESTS: dict[str, Type] = {name: _Mapper(name) for name in _NAMES.split()}
