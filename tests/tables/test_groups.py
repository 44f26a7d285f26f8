"""Groups of calls: those of descriptions and those written down for the rest agree."""

from __future__ import annotations

import pytest

from pytracer.decode.catalogue import book
from pytracer.event.schema import Abi
from pytracer.tables.groups import GROUPS

DESCRIBED = sorted(GROUPS.keys() & {name for name, _ in book().entries})


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_description_keeps_the_groups(name: str) -> None:
    for abi in Abi:
        entry = book().entries.get((name, int(abi)))
        if entry is not None:
            assert entry.classes == GROUPS[name], abi
