"""Names of C++ functions as their programmers wrote them."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _library() -> Any:
    try:
        library: Any = ctypes.CDLL("libstdc++.so.6")
        library.__cxa_demangle.restype = ctypes.c_void_p
        library.__cxa_demangle.argtypes = [ctypes.c_char_p, *[ctypes.c_void_p] * 3]
        free = ctypes.CDLL(None).free
        free.argtypes = [ctypes.c_void_p]
    except (OSError, AttributeError):
        return None
    return library, free


@lru_cache(maxsize=4096)
def demangled(name: str) -> str:
    """The name of a function; as it is where the C++ library is not there to ask."""
    if not name.startswith("_Z"):
        return name
    found = _library()
    if found is None:
        return name
    library, free = found
    text = library.__cxa_demangle(name.encode("utf-8", "replace"), None, None, None)
    if not text:
        return name
    try:
        return ctypes.string_at(text).decode("utf-8", "backslashreplace")
    finally:
        free(text)
