"""A real systemd, booted in namespaces of its own for a test, with only the units of the test.

It has its own /run, /proc, /dev, /tmp and /var/tmp, its own top of the control groups, and sees
everything else read-only: nothing that it does at its start may reach the machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LIMIT_S = 60
_INIT = "/lib/systemd/systemd"

# $1: a folder for the outer mount of the control groups; $2: the name of the machine's own group;
# $3: the folder with its units; $4: the checkout; $5: what lies over /usr and /etc, if anything.
_OUTER = """
set -e
mount -t cgroup2 none "$1"
mkdir "$1/$2"
echo $$ > "$1/$2/cgroup.procs"
exec unshare -C -p -f -u -i -m --propagation private --kill-child sh -c "$6" boot "$@"
"""
_INNER = """
set -e
mount -t proc proc /proc
if [ -n "$5" ]; then
    mount -t overlay overlay -o "lowerdir=$5/usr:/usr" /usr
    mount -t overlay overlay -o "lowerdir=$5/etc:/etc" /etc
    mount -t tmpfs tmpfs /var/cache
fi
mount -t tmpfs tmpfs /run
mkdir /run/host /run/units
mount --rbind / /run/host
cp "/run/host$3"/* /run/units
mount -t tmpfs tmpfs /dev
for device in null zero full random urandom tty; do
    touch /dev/$device
    mount --bind /run/host/dev/$device /dev/$device
done
mkdir /dev/mqueue /dev/hugepages; ln -s pts/ptmx /dev/ptmx
touch /dev/console
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /var/tmp
mkdir -p "$4"
mount --bind "/run/host$4" "$4"
mount -t cgroup2 none /sys/fs/cgroup
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -o remount,bind,ro /
# As after a real boot: credentials are mounted by a helper, for the services to see.
mount --make-rshared /
export container=pytracer-test SYSTEMD_UNIT_PATH=/run/units
exec /lib/systemd/systemd --system --unit=test.target --log-target=console --show-status=no
"""


class Machine:
    """A booted systemd. ``init``: its pid out here."""

    def __init__(self, init: int) -> None:
        self.init = init
        self._running: list[subprocess.Popen[bytes]] = []

    def _command(self, words: tuple[str, ...]) -> list[str]:
        # -r: a mount namespace is entered at its own root, which in a chroot is not ours.
        return ["nsenter", "-t", str(self.init), "-m", "-r", "-u", "-i", "-p", "-C", "--", *words]

    def run(self, *words: str) -> str:
        """Run a command in there; what it prints."""
        ran = subprocess.run(
            self._command(words), capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        assert ran.returncode == 0, (words, ran.stdout, ran.stderr)
        return ran.stdout

    def refused(self, *words: str) -> str:
        """Run a command in there that must fail; what it says."""
        ran = subprocess.run(
            self._command(words), capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        assert ran.returncode == 1, (words, ran.stdout, ran.stderr)
        return ran.stderr

    def read(self, path: str) -> str:
        """Read a file in there; nothing when it is not there."""
        try:
            return Path(f"/proc/{self.init}/root{path}").read_text()
        except OSError:
            return ""

    def start(self, name: str, *words: str) -> None:
        """Start a command in there; its pid in there goes to /run/NAME.pid, what it says beside."""
        line = f'echo $$ > /run/{name}.pid; exec "$@" 2> /run/{name}.said'
        self._running.append(subprocess.Popen(self._command(("sh", "-c", line, "sh", *words))))

    def interrupt(self, name: str) -> None:
        """End a command that was started."""
        self.run("kill", "-INT", self.read(f"/run/{name}.pid").strip())
        self._running[-1].wait(LIMIT_S)

    def close(self) -> None:
        """End everything."""
        os.kill(self.init, signal.SIGKILL)
        for process in self._running:
            process.kill()
            process.wait(LIMIT_S)


def wait_for(ready: Callable[[], object], what: Callable[[], str]) -> None:
    """Wait until something holds, for a bounded time."""
    deadline = time.monotonic() + LIMIT_S
    while not ready():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


@contextmanager
def booted(units: Mapping[str, str], package: Path | None = None) -> Iterator[Machine]:
    """Boot a systemd that knows these units, and starts test.target.

    ``package``: a folder with what is seen in /usr and /etc as if it had been installed.
    """
    assert Path(_INIT).exists(), f"{_INIT} is not there: apt-get install systemd"
    with tempfile.TemporaryDirectory() as folder:
        groups = Path(folder, "groups")
        groups.mkdir()
        own = Path(folder, "units")
        own.mkdir()
        for name, text in units.items():
            (own / name).write_text(text)
        group = f"pytracer-test-systemd-{os.getpid()}"
        outer = ["unshare", "-m", "--propagation", "private", "sh", "-c", _OUTER, "outer"]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                [*outer, str(groups), group, str(own), str(CHECKOUT), str(package or ""), _INNER],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )

            def told() -> str:
                said.seek(0)
                return said.read().decode(errors="replace")

            machine: Machine | None = None
            try:
                machine = Machine(_init_of(process, told))
                one = machine
                wait_for(lambda: _up(one), lambda: told() + one.read("/dev/console"))
                yield machine
            finally:
                if machine is not None:
                    machine.close()
                else:
                    process.kill()
                process.wait(LIMIT_S)
                _remove(groups, group)


def _init_of(process: subprocess.Popen[bytes], told: Callable[[], str]) -> int:
    """The pid of the first process in the new pid namespace, once it is systemd."""
    found: list[int] = []

    def there() -> bool:
        assert process.poll() is None, told()
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for pid in map(int, listed):
            try:
                if Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                    found.append(pid)
            except OSError:
                continue
        return bool(found)

    wait_for(there, told)
    return found[0]


def _up(machine: Machine) -> bool:
    command = machine._command(("systemctl", "is-active", "test.target"))
    ran = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return ran.stdout == "active\n"


def _remove(groups: Path, group: str) -> None:
    """Remove the machine's group, and what it has left in it, from a mount of our own."""
    script = (
        'mount -t cgroup2 none "$1" && for try in $(seq 100); do '
        'find "$1/$2" -depth -type d -exec rmdir {} + 2>/dev/null; '
        '[ -d "$1/$2" ] || exit 0; sleep 0.1; done'
    )
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh"]
    subprocess.run([*command, str(groups), group], timeout=LIMIT_S, check=False)


PYTHON = sys.executable
