"""What truly differs between two runs of a program, and nothing else.

Each rule has a name and a reason, and is applied to both sides alike. A run under the eyes
of both tracers at once (``--ebpf``) needs none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.differential.lines import STAMP


@dataclass(frozen=True, slots=True)
class Rule:
    """A narrow substitution. ``only``: names of the lines it may touch; empty for all."""

    name: str
    reason: str
    pattern: re.Pattern[str]
    replacement: str
    only: frozenset[str] = frozenset()


def _rule(name: str, reason: str, pattern: str, replacement: str, *only: str) -> Rule:
    return Rule(name, reason, re.compile(pattern), replacement, frozenset(only))


RULES: tuple[Rule, ...] = (
    Rule("stamp", "-t, -tt, -ttt and -r print when a call was made", STAMP, "STAMP "),
    _rule("spent", "-T prints how long a call took", r" <\d+\.\d{3,9}>$", " <SPENT>"),
    _rule(
        "getrandom",
        "the kernel's random bytes",
        r'getrandom\("[^"]*"(?:\.\.\.)?',
        'getrandom("RANDOM"',
        "getrandom",
    ),
    _rule(
        "mkstemp",
        "temporary names drawn from random bytes: gcc's cc*, git's tmp_obj_*, Python's tmp*",
        r"(?<![A-Za-z0-9_])(cc|tmp_obj_|tmp|sed|sh-thd\.|tmp_idx_|tmp_pack_)[A-Za-z0-9_]{6,8}"
        r"(?![A-Za-z0-9_])",
        r"\1RANDOM",
    ),
    _rule(
        "file times",
        "files made by the run carry the time of the run",
        r"\b(st_[amc]time|st_birthtime)(_nsec)?=-?\d+(?: /\* [^*]* \*/)?",
        r"\1\2=TIME",
    ),
    _rule(
        "statx times",
        "files made by the run carry the time of the run",
        r"\b(stx_(?:[amcb]time))=\{tv_sec=[^}]*\}(?: /\* [^*]* \*/)?",
        r"\1=TIME",
    ),
    _rule(
        "mount ids",
        "each run has mounts of its own, numbered among those of the whole machine",
        r"\bstx_mnt_id=0x[0-9a-f]+",
        "stx_mnt_id=ID",
    ),
    _rule(
        "ipc times",
        "queues and segments made by the run carry the time of the run",
        r"\b((?:shm|msg|sem)_[a-z]+time)=[1-9]\d*",
        r"\1=TIME",
    ),
    _rule(
        "keys",
        "the numbers of keys are drawn at random",
        r"(?<== )\d{5,}$",
        "KEY",
        "add_key",
        "request_key",
        "keyctl",
    ),
    _rule(
        "mount",
        "mounts are numbered as they are made",
        r"\}, \[\d+\]",
        "}, [MOUNT]",
        "name_to_handle_at",
    ),
    _rule(
        "unique mount",
        "the numbers of mounts and of their namespaces are never given again",
        r"\b(?:0x8[0-9a-f]{7}|(?:(?<=mnt_ns_id=)|(?<=_id_old=))0x[0-9a-f]+)\b",
        "MOUNT",
        "statmount",
        "listmount",
    ),
    _rule(
        "blocks",
        "where the file system puts what is written",
        r"\bfe_physical=\d+",
        "fe_physical=BLOCK",
        "ioctl",
    ),
    _rule("inode", "files made by the run have new inodes", r"\b(stx?_ino|d_ino)=\d+", r"\1=INODE"),
    _rule(
        "anonymous inode",
        "pipes and sockets are numbered by the kernel as they are made",
        r"\b(pipe|socket|TCP|UDP|UNIX(?:-[A-Z]+)?|NETLINK):\[(\d+)((?:->\d+)?[^\]]*)\]",
        r"\1:[INODE]",
    ),
    _rule(
        "child times",
        "processor time of a child, in clock ticks",
        r"(si_[us]time)=(?:0|[1-9]\d* /\* \d+\.\d\d s \*/)(?=[,}])",
        r"\1=TICKS",
        "--- SIGCHLD",
        "waitid",
        "rt_sigtimedwait",
        "rt_sigtimedwait_time64",
    ),
    _rule(
        "usage",
        "processor time and memory used are measured, not computed",
        r"\b(ru_[a-z]+)=(?:\{[^}]*\}|\d+)",
        r"\1=USED",
    ),
    _rule(
        "clock",
        "the time of day",
        r"\{tv_sec=-?\d+(?: /\* [^*]* \*/)?, tv_([nu])sec=\d+\}",
        r"{NOW}",
        "clock_gettime",
        "clock_gettime64",
        "gettimeofday",
        "utimensat",
        "utime",
        "utimes",
        "futimesat",
    ),
    _rule(
        "deadline",
        "an absolute time-out is reckoned from now",
        r"((?:TIMER_ABSTIME|FUTEX_(?:WAIT_BITSET|LOCK_PI2?)[A-Z_|]*)(?:, \d+)?, )\{tv_sec=[^}]*\}",
        r"\1{NOW}",
        "futex",
        "clock_nanosleep",
    ),
    _rule(
        "git index",
        "git's index holds times and inodes of files, and ends with a checksum of 20 bytes",
        r'(write|read)\((\d+), (?:"DIRC.*"\.\.\.|".*"(?=, 20\)))',
        r"\1(\2, INDEX",
        "write",
        "read",
    ),
    _rule(
        "git probe",
        "git tries symbolic links under a random name",
        r"/\.git/t[A-Za-z0-9]{6}\b",
        "/.git/tRANDOM",
    ),
    _rule(
        "journal",
        "SQLite's journal is salted: its header and the checksums after its pages",
        r'pwrite64\((\d+), ".*"(?:\.\.\.)?, (4|512), ',
        r"pwrite64(\1, SALTED, \2, ",
        "pwrite64",
    ),
    _rule(
        "space",
        "others use the same filesystem",
        r"\bf_(bfree|bavail|ffree)=\d+",
        r"f_\1=SPACE",
        "statfs",
        "statfs64",
        "fstatfs",
        "fstatfs64",
    ),
    _rule(
        "timer",
        "curl waits for what is left of its timer of 200 ms",
        r"(\], \d, )1[5-9]\d\)",
        r"\1{LEFT})",
        "poll",
    ),
    _rule("left", "how much of a time-out was left", r"\bleft \{tv_sec=[^}]*\}", "left {LEFT}"),
    _rule(
        "unslept",
        "how much of a sleep was left",
        r"\}, \{tv_sec=\d+, tv_nsec=\d+\}\)",
        "}, {LEFT})",
        "nanosleep",
        "clock_nanosleep",
        "clock_nanosleep_time64",
    ),
    _rule(
        "adjustment",
        "the time of day, and how well it is known",
        r"\{modes=0, offset=.*\}(?=\))",
        "{NOW}",
        "adjtimex",
        "clock_adjtime",
        "clock_adjtime64",
    ),
    _rule("time", "the time of day", r" = \d+(?: \([^)]*\))?$", " = NOW", "time", "times"),
    _rule(
        "ticks",
        "processor time used",
        r"\{tms_utime=.*?\}",
        "{TICKS}",
        "times",
    ),
    _rule("sysinfo", "the machine's load and memory", r"\{uptime=.*\}", "{LOAD}", "sysinfo"),
    _rule(
        "port",
        "ephemeral ports",
        r"htons\((?:3[2-9]|[456]\d)\d{3}\)",
        "htons(EPHEMERAL)",
    ),
    _rule(
        "cpu",
        "which processor the scheduler chose",
        r"getcpu\(\[\d+\]",
        "getcpu([CPU]",
        "getcpu",
    ),
    _rule(
        "kernel figures",
        "contents of /proc files about time, load and memory",
        r'read\((\d+(?:</proc/[^>]*>)?), "(?:MemTotal|cpu  |\d+\.\d\d \d+\.\d\d ).*',
        r"read(\1, FIGURES",
        "read",
    ),
)

_URANDOM = re.compile(r'open(?:at)?\(.*"/dev/u?random", .* = (\d+)')
_READ = re.compile(r"(read|close)\((\d+)")
_BYTES = re.compile(r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?')
_POINTER = re.compile(r"0x[0-9a-f]{9,16}|(?<=\[)[0-9a-f]{16}(?=\])")
_NUMBER = re.compile(r"(?<![0-9A-Za-z_.])(?:\d{3,7}|0x[0-9a-f]{3,6})(?![0-9A-Za-z_.])(?!\*1024)")
_PAGE = 4096


def _mistakable(pid: int) -> bool:
    """Tell whether a pid could as well be a number of pages or a round limit."""
    return pid < 100 or pid % _PAGE == 0 or pid % 1000 == 0


def pid_names(pids: Mapping[str, int], tracer: int | None) -> dict[str, str]:
    """Map each pid of a run, as text, to a name that is the same in every run.

    A pid that looks like another number keeps its digits; in a namespace of its own there is none.
    """
    known = dict(pids) | ({} if tracer is None else {"tracer": tracer})
    names = {}
    for key, pid in known.items():
        if not _mistakable(pid):
            names[str(pid)] = names[hex(pid)] = f"PID<{key}>"
    return names


def normaliser(pids: Mapping[str, str], root: bool) -> Callable[[int, str, str], str]:
    """Make the function (index, name, text) -> text that hides what differs between runs."""

    def pid_of(match: re.Match[str]) -> str:
        return pids.get(match[0], match[0])

    random_files: set[str] = set()

    def randomness(text: str) -> str:
        """Hide what is read from /dev/urandom."""
        if opened := _URANDOM.search(text):
            random_files.add(opened[1])
        elif random_files and (used := _READ.search(text)) and used[2] in random_files:
            if used[1] == "close":
                random_files.discard(used[2])
            else:
                return _BYTES.sub("RANDOM", text, count=1)
        return text

    def normalise(index: int, name: str, text: str) -> str:
        if name in ("openat", "open", "read", "close"):
            text = randomness(text)
        for rule in RULES:
            if not rule.only or name in rule.only:
                text = rule.pattern.sub(rule.replacement, text)
        if root and index == 0:
            # The first execve is the tracer's own: its code, its memory.
            text = _POINTER.sub("POINTER", text)
        return _NUMBER.sub(pid_of, text)

    return normalise
