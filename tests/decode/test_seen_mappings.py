"""What processes have mapped, as events tell it."""

from __future__ import annotations

from pytracer.decode.frames.seen import Seen, SeenMaps
from pytracer.event.schema import Mapped, NewBy, Task, TaskExit, TaskNew

PARENT, CHILD = Task(7, 7), Task(11, 11)


def found(maps: SeenMaps | None, address: int) -> tuple[str, int] | None:
    """The file and the offset in it that an address is mapped from."""
    mapping = None if maps is None else maps.find(address)
    return None if mapping is None else (mapping.path, address - mapping.start + mapping.offset)


def test_the_last_mapping_of_an_address_counts() -> None:
    maps = SeenMaps()
    maps.add(0x1000, 0x9000, 0x100000, "/a")
    maps.add(0x3000, 0x5000, 0, "/b")
    maps.add(0x8000, 0xA000, 0x7000, "/c")
    maps.add(0x20000, 0x20000, 0, "/empty")
    assert found(maps, 0xFFF) is None
    assert found(maps, 0x2FFF) == ("/a", 0x101FFF)
    assert found(maps, 0x3000) == ("/b", 0)
    assert found(maps, 0x4FFF) == ("/b", 0x1FFF)
    assert found(maps, 0x5000) == ("/a", 0x104000)
    assert found(maps, 0x7FFF) == ("/a", 0x106FFF)
    assert found(maps, 0x8000) == ("/c", 0x7000)
    assert found(maps, 0xA000) is None
    maps.add(0, 0x10000, 0, "")
    assert found(maps, 0x4FFF) == ("", 0x4FFF)
    assert list(maps.files) == ["/a", "/b", "/c", ""]


def test_a_child_begins_with_what_its_parent_has() -> None:
    seen = Seen()
    seen.before(TaskNew(PARENT, 1, NewBy.LAUNCHED))
    assert seen.launching(7, 9) and seen.of(7, 9) is None
    seen.before(Mapped(PARENT, 2, (), True))
    seen.before(Mapped(PARENT, 3, ((0x1000, 0x2000, 0, "/a"),)))
    assert seen.launching(7, 1) and not seen.launching(7, 2)
    seen.before(TaskNew(CHILD, 4, NewBy.FORKED, PARENT))
    seen.before(TaskNew(Task(7, 8), 4, NewBy.FORKED, PARENT))
    seen.before(Mapped(CHILD, 5, ((0x1000, 0x2000, 0, "/b"),)))
    assert found(seen.of(7, 9), 0x1000) == ("/a", 0)
    assert found(seen.of(11, 9), 0x1000) == ("/b", 0)
    seen.after(TaskExit(Task(7, 8), 6, 0))
    assert seen.of(7, 9) is not None
    seen.after(TaskExit(PARENT, 6, 0))
    assert seen.of(7, 9) is None and seen.of(11, 9) is not None


def test_what_is_older_than_a_new_program_does_not_count() -> None:
    seen = Seen()
    seen.before(Mapped(PARENT, 5, ((0x1000, 0x2000, 0, "/a"),), True))
    seen.before(Mapped(PARENT, 4, ((0x1000, 0x2000, 0, "/former"),)))
    assert found(seen.of(7, 9), 0x1000) == ("/a", 0)
    seen.before(Mapped(PARENT, 6, (), True))
    assert found(seen.of(7, 9), 0x1000) is None
    # But it does for a call that was made before, and is told of late; as far as that goes.
    assert found(seen.of(7, 5), 0x1000) == ("/a", 0)
    seen.before(Mapped(PARENT, 7, (), True))
    assert found(seen.of(7, 5), 0x1000) is None
