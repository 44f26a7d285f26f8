"""Groups (%desc, %file, ...) of calls that have no description yet.

Once a call is described, its groups follow from that. Source: strace(1), -e trace=.
"""

from collections.abc import Mapping
from typing import Final

_MEMBERS: Final = (("memory", "break"), ("network", "getpmsg putpmsg"))

GROUPS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(groups.split()) for groups, names in _MEMBERS for name in names.split()
}
