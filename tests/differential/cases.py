"""The programs on which pytracer must say what strace says."""

from __future__ import annotations

from dataclasses import dataclass

from tests.differential.run import Program
from tests.programs.build import build

_TREE = (
    "mkdir -p tree/a/b tree/c; seq 1 997 > tree/a/numbers; head -c 100003 /dev/zero > tree/c/zeros;"
    " ln -s ../a/numbers tree/c/link; echo needle > tree/a/b/hay; : > tree/empty;"
    " find tree -exec touch -h -d @1700000000 {} +;"
)
_HELLO = "printf '#include <stdio.h>\\nint main(void) { puts(\"hello\"); return 0; }\\n' > hello.c;"
_SERVER = """
import http.server, sys
server = http.server.HTTPServer(("127.0.0.1", 18573), http.server.SimpleHTTPRequestHandler)
print("ready", flush=True)
server.serve_forever()
"""
_GIT = (
    "git init -q . && git add tree && git -c user.name=a -c user.email=a@b commit -q -m first"
    " && git log --stat --oneline | cat"
)
_SQL = (
    "create table t(k integer primary key, v text); insert into t(v) values('one'),('two');"
    " begin; insert into t(v) select v || 'x' from t; commit; select count(*) from t;"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A program and how it is compared.

    ``source``, ``flags``: a C program of tests/programs, compiled with these flags; ``argv``
    then holds its arguments alone. ``attempts``: how often two separate runs may be tried;
    more than one only where the scheduler decides what calls the program makes, as ``racy`` says,
    and none where no two runs are alike: such a program is compared on the same run alone.
    ``follow``: whether the program has children or threads.
    """

    name: str
    argv: tuple[str, ...] = ()
    setup: str = ""
    service: tuple[str, ...] = ()
    source: str = ""
    flags: tuple[str, ...] = ()
    follow: bool = True
    needs: tuple[str, ...] = ()
    slow: bool = True
    attempts: int = 1
    racy: str = ""
    timeout_s: float = 60.0

    def program(self) -> Program:
        """Return what to run, compiling it first where needed."""
        argv = self.argv
        if self.source:
            argv = (str(build(self.source, *self.flags)), *argv)
        return Program(argv, setup=self.setup, service=self.service, timeout_s=self.timeout_s)


# A run that races ends alike at least every third time: all of so many never differ by chance.
_MANY = 15
_ORDER = "children end, and are waited for, in an order that the scheduler decides"

CASES: tuple[Case, ...] = (
    Case("ls", ("ls", "-la", "/usr"), follow=False, slow=False),
    Case("cat", ("cat", "/etc/passwd", "/etc/group", "absent"), follow=False, slow=False),
    Case(
        "bash",
        (
            "bash",
            "-c",
            "ls /usr | sort | head -n 3; (cd /; pwd); sleep 0.1 & wait; x=$(echo inner); echo $x",
        ),
        slow=False,
        attempts=_MANY,
        racy=_ORDER,
    ),
    Case("dash", ("sh", "-c", "echo one; (exit 3); echo $?; true"), slow=False),
    Case(
        "python-imports",
        ("/usr/bin/python3", "-c", "import json, socket, subprocess, threading"),
    ),
    Case(
        "python-threads",
        (
            "/usr/bin/python3",
            "-c",
            "import subprocess, threading, time\n"
            "t = threading.Thread(target=time.sleep, args=(0.2,)); t.start(); t.join()\n"
            "print(subprocess.check_output(['echo', 'child']))",
        ),
        attempts=0,
        racy="the interpreter lock goes from thread to thread as time passes",
    ),
    Case("git", ("sh", "-c", _GIT), _TREE, needs=("git",), attempts=_MANY, racy=_ORDER),
    Case(
        "gcc",
        ("gcc", "-O1", "-o", "hello", "hello.c"),
        _HELLO,
        needs=("gcc",),
        attempts=_MANY,
        racy="a random number that is out of range for a temporary name is drawn again",
    ),
    Case(
        "tar",
        ("tar", "-czf", "tree.tgz", "tree/a"),
        _TREE,
        attempts=_MANY,
        racy="tar and gzip share a pipe",
    ),
    Case("untar", ("tar", "-xf", "tree.tar"), f"{_TREE} tar -cf tree.tar tree; rm -r tree"),
    Case("gzip", ("gzip", "-k", "tree/a/numbers"), _TREE, follow=False),
    Case("find", ("find", "tree", "-name", "n*", "-o", "-size", "+5k"), _TREE, follow=False),
    Case("grep", ("grep", "-r", "needle", "tree"), _TREE, follow=False, slow=False),
    Case("sqlite3", ("sqlite3", "file.db", _SQL), needs=("sqlite3",), follow=False),
    Case(
        "curl",
        ("curl", "-s", "http://127.0.0.1:18573/tree/a/numbers", "-o", "copy"),
        _TREE,
        service=("/usr/bin/python3", "-c", _SERVER),
        needs=("curl",),
        attempts=_MANY,
        racy="how much of the answer has come when it is asked for",
    ),
    Case(
        "dd",
        ("dd", "if=/dev/zero", "of=zeros", "bs=4099", "count=7", "status=noxfer"),
        follow=False,
        slow=False,
    ),
    Case(
        "perl",
        ("perl", "-MPOSIX", "-e", 'print getcwd(), "\\n"; print sort <*>; system("true")'),
        _TREE,
        needs=("perl",),
    ),
    Case("sort", ("sort", "-rn", "tree/a/numbers", "-o", "sorted"), _TREE),
    Case("cp", ("cp", "-a", "tree", "copy"), _TREE, follow=False),
    Case("id", ("id",), follow=False, slow=False),
    Case("futexes", source="futex.c"),
    Case("signals", source="signals.c"),
    Case("killed", ("15",), source="killed.c", follow=False, slow=False),
    Case("killed-by-realtime", ("37",), source="killed.c", follow=False),
    Case("plain", ("fork",), source="plain.c", slow=False),
    Case("plain-i386", ("fork",), source="plain.c", flags=("-m32",), slow=False),
    Case("plain-static", ("fork",), source="plain.c", flags=("-static",), slow=False),
    Case("thread-exec", source="thread_exec.c"),
    Case("vfork", source="vfork.c", slow=False, attempts=_MANY, racy=_ORDER),
    Case("stopped", source="stopped.c"),
)
