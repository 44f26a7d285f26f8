"""What ioctl requests pass, by topic: modules whose ``REQUESTS`` map a request's name to a type.

``RESULTS``, where a module has it, maps a request's name to what it returns, ``CODES`` maps
requests that have no name, and ``DEFAULT`` is the type of all others of the kind. A module is read
when a request of its kind is first met.
"""

from __future__ import annotations

# By the request's type byte, as include/uapi/asm-generic/ioctl.h calls it.
TOPICS: dict[int, tuple[str, ...]] = {
    0x03: ("disks",),
    0x12: ("block",),
    0x15: ("filesystems",),
    0x22: ("disks", "sgio"),
    0x89: ("sockets",),
    0x8A: ("small",),
    0x94: ("filesystems", "btrfs"),
    0xAA: ("userfaultfd",),
    0xAB: ("disks",),
    0xAE: ("kvm",),
    0xB7: ("namespaces",),
    0xFD: ("mapper",),
    0xFF: ("namespaces", "processes"),
    0xA4: ("tee",),
    0xB4: ("gpio",),
    ord("!"): ("processes",),
    ord("$"): ("perf",),
    ord("="): ("ptp",),
    ord(">"): ("small",),
    ord("E"): ("events",),
    ord("I"): ("small",),
    ord("K"): ("console",),
    ord("L"): ("loop",),
    ord("M"): ("flash",),
    ord("O"): ("flash",),
    ord("R"): ("small",),
    ord("T"): ("terminal",),
    ord("V"): ("video",),
    ord("W"): ("small",),
    ord("X"): ("filesystems",),
    ord("f"): ("filesystems",),
    ord("i"): ("infrared",),
    ord("o"): ("flash",),
    ord("p"): ("rtc",),
    ord("u"): ("small",),
}
