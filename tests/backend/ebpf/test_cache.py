"""What may be believed of a folder in which root's programs lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytracer.backend.ebpf.cache import Cache, cache_key


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_gives_back_what_was_stored(cache: Cache, tmp_path: Path) -> None:
    cache.put("key", b"body")
    assert cache.get("key") == b"body"
    assert cache.get("other") is None
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "cache" / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [b"", b"\n", b"0" * 16 + b"\nbody", b"garbage"])
def test_damage_is_as_good_as_nothing(cache: Cache, tmp_path: Path, damage: bytes) -> None:
    cache.put("key", b"body")
    (tmp_path / "cache" / "key").write_bytes(damage)
    assert cache.get("key") is None


def test_a_file_that_others_may_write_is_not_believed(cache: Cache, tmp_path: Path) -> None:
    cache.put("key", b"body")
    (tmp_path / "cache" / "key").chmod(0o620)
    assert cache.get("key") is None


def test_a_folder_that_others_may_write_is_not_believed(cache: Cache, tmp_path: Path) -> None:
    cache.put("key", b"body")
    (tmp_path / "cache").chmod(0o777)
    assert cache.get("key") is None
    cache.put("new", b"body")
    assert not (tmp_path / "cache" / "new").exists()


@pytest.mark.needs_root
def test_a_file_of_another_user_is_not_believed(cache: Cache, tmp_path: Path) -> None:
    cache.put("key", b"body")
    os.chown(tmp_path / "cache" / "key", 65534, 65534)
    assert cache.get("key") is None


def test_a_link_is_not_followed(cache: Cache, tmp_path: Path) -> None:
    cache.put("key", b"body")
    (tmp_path / "cache" / "key").rename(tmp_path / "elsewhere")
    (tmp_path / "cache" / "key").symlink_to(tmp_path / "elsewhere")
    assert cache.get("key") is None


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache")
    cache.put("key", b"body")
    assert cache.get("key") is None


def test_old_files_go(cache: Cache, tmp_path: Path) -> None:
    for number in range(41):
        cache.put(f"key{number}", b"body")
    assert len(list((tmp_path / "cache").iterdir())) == 32


def test_keys_depend_on_where_parts_end() -> None:
    assert cache_key("ab", "c") != cache_key("a", "bc")
    assert cache_key("ab") == cache_key(b"ab")
