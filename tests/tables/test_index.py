"""The index of calls by family is what the descriptions say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_index_is_up_to_date() -> None:
    # In an interpreter that has not read any family yet.
    done = subprocess.run(
        [sys.executable, "-m", "tools.gen_index", "--check"], cwd=CHECKOUT, timeout=60, check=False
    )
    assert done.returncode == 0, "run python -m tools.gen_index"
