"""The kernel's form of all capture plans, kept from one start to the next.

Compiling the plans of every description takes longer than all the rest of a warm start; they
change only with the descriptions and with how much of strings and structures is wanted.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytracer
from pytracer.backend.ebpf.cache import Cache, cache_folder, cache_key
from pytracer.backend.ebpf.plan import Image, Plans, compile_plans
from pytracer.event.schema import Abi
from pytracer.target.selection import Selection

# The stages whose code decides what a plan is.
_SOURCES = ("spec", "tables", "decode", "backend/ebpf")
_SIZES = struct.Struct("<4Q")


def plan_image(plans: Plans, selection: Selection, cache: Cache | None = None) -> Image:
    """Give the compiled plans, from the cache where possible.

    Errors: PlanError.
    """
    cache = cache or Cache(cache_folder())
    origin = f"{type(plans).__module__}.{type(plans).__qualname__}"
    key = cache_key(
        "plans", origin, f"{plans.descriptors} {plans.stacks}", *_fingerprint(), *_wanted(selection)
    )
    stored = cache.get(key)
    image = _decode(stored) if stored is not None else None
    if image is None:
        image = compile_plans(plans)
        cache.put(key, _encode(image))
    return image


def _fingerprint() -> Iterator[str]:
    """What tells one version of the descriptions from another, without reading them."""
    package = Path(pytracer.__file__).parent
    for stage in _SOURCES:
        for folder, folders, files in os.walk(package / stage):
            folders.sort()
            for name in sorted(files):
                if name.endswith(".py"):
                    status = os.stat(os.path.join(folder, name))
                    yield f"{folder}/{name} {status.st_size} {status.st_mtime_ns}"


def _wanted(selection: Selection) -> Iterator[str]:
    yield f"{selection.string_bytes} {selection.verbose}"
    if selection.syscalls is not None:
        for abi in Abi:
            yield " ".join(map(str, sorted(selection.syscalls.get(abi, ()))))


def _encode(image: Image) -> bytes:
    parts = image.calls, image.steps, image.shape_keys, image.shapes
    return _SIZES.pack(*map(len, parts)) + b"".join(parts)


def _decode(data: bytes) -> Image | None:
    if len(data) < _SIZES.size:
        return None
    sizes = _SIZES.unpack_from(data)
    if len(data) != _SIZES.size + sum(sizes):
        return None
    parts = []
    at = _SIZES.size
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    return Image(*parts)
