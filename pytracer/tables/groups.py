"""Groups (%desc, %file, ...) of calls that have no description yet.

Once a call is described, its groups follow from that. Source: strace(1), -e trace=.
"""

from collections.abc import Mapping
from typing import Final

_MEMBERS: Final = (
    (
        "desc",
        "mq_open mq_timedsend mq_timedreceive mq_notify mq_getsetattr inotify_init "
        "inotify_rm_watch eventfd eventfd2 inotify_init1 perf_event_open fanotify_init "
        "open_by_handle_at bpf io_uring_setup fsopen fsmount quotactl_fd cachestat socketcall "
        "mq_timedsend_time64 mq_timedreceive_time64",
    ),
    (
        "desc file",
        "inotify_add_watch fanotify_mark name_to_handle_at open_tree move_mount fsconfig fspick "
        "mount_setattr open_tree_attr",
    ),
    ("desc fstat stat_like", "oldfstat"),
    ("desc memory", "io_uring_register"),
    ("desc signal", "signalfd signalfd4 io_uring_enter"),
    ("file", "mount umount2 swapon swapoff quotactl umount"),
    ("file lstat stat_like", "oldlstat"),
    ("file stat stat_like", "oldstat"),
    (
        "ipc",
        "shmget shmctl semget semop semctl msgget msgsnd msgrcv msgctl semtimedop "
        "semtimedop_time64",
    ),
    ("memory", "io_setup io_destroy break"),
    ("network", "getpmsg putpmsg"),
)

GROUPS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(groups.split()) for groups, names in _MEMBERS for name in names.split()
}
