"""Seen and lost are what was made, with rings that overflow.

benchmarks/accounting.py does this two hundred times.
"""

from __future__ import annotations

import pytest

from benchmarks.accounting import Scene, run, scenes

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.slow]


@pytest.mark.parametrize("scene", scenes(9, 7), ids=str)
def test_what_is_seen_and_lost_is_what_was_made(scene: Scene) -> None:
    account = run(scene)
    assert account.wrong(scene) == ""
