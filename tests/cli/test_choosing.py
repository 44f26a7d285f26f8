"""Which backend is chosen, and what is refused."""

from __future__ import annotations

import pytest

from pytracer.cli.choosing import choose
from pytracer.cli.messages import Failure, Messages
from pytracer.cli.options import Backend, Options
from pytracer.cli.reading import Reader

PTRACE_ONLY = ("--kill-on-exit true",)


def options(line: str) -> Options:
    found = Reader(Messages("pytracer"), 0).read(line.split())
    assert isinstance(found, Options)
    return found


@pytest.mark.parametrize(
    ("line", "backend"),
    [
        ("true", Backend.PTRACE),
        ("-f true", Backend.PTRACE),
        ("-p 1", Backend.EBPF),
        ("-f -p 1 -e trace=read -T --duration=1", Backend.EBPF),
        ("-p 1 -y -P x", Backend.EBPF),
        ("-o log -f -y true", Backend.EBPF),
        ("-c true", Backend.EBPF),
        ("-y true", Backend.PTRACE),
        ("-o log -Y true", Backend.PTRACE),
        ("-o log -v true", Backend.PTRACE),
        ("-o log -s 4096 true", Backend.PTRACE),
        ("-o log -b execve true", Backend.EBPF),
        ("-o log -p 1 true", Backend.PTRACE),
        ("-o log --seccomp-bpf -f true", Backend.PTRACE),
        ("-p 1 -Y", Backend.EBPF),
        ("-p 1 -k", Backend.PTRACE),
        ("-o log -k true", Backend.PTRACE),
        ("--record r -k true", Backend.PTRACE),
        ("-c -p 1", Backend.EBPF),
        ("-C -p 1", Backend.EBPF),
        ("-C -w -p 1", Backend.EBPF),
        ("-c --syscall-limit=3 -p 1", Backend.EBPF),
        ("-c -P x true", Backend.EBPF),
        ("-c --trace-fds=1 true", Backend.EBPF),
        ("-c -b execve true", Backend.EBPF),
        ("-C -P x true", Backend.PTRACE),
        ("-c -w -p 1", Backend.EBPF),
    ],
)
def test_auto(line: str, backend: Backend) -> None:
    assert choose(options(line)) is backend


@pytest.mark.parametrize("line", PTRACE_ONLY)
def test_what_ebpf_cannot_serve_is_refused_by_name(line: str) -> None:
    assert choose(options(f"--backend=ptrace {line}")) is Backend.PTRACE
    with pytest.raises(Failure) as caught:
        choose(options(f"--backend=ebpf {line}"))
    name = line.split()[0]
    assert name in caught.value.text.split("cannot")[0].replace("/", " ").split()
    assert caught.value.text.endswith("cannot be served by --backend=ebpf: use --backend=ptrace")


@pytest.mark.parametrize(
    "line", ["true", "-k true", "-f -T -p 1", "-c true", "-c -w true", "-z true"]
)
def test_an_explicit_choice_stands(line: str) -> None:
    assert choose(options(f"--backend=ebpf {line}")) is Backend.EBPF
    assert choose(options(f"--backend=ptrace {line}")) is Backend.PTRACE
