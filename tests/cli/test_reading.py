"""From command lines to options."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pytracer.cli.messages import Failure, Messages, invoked_name
from pytracer.cli.options import Backend, Interruptible, Options, Summary
from pytracer.cli.reading import Action, Reader
from pytracer.decode.told import Told
from pytracer.event.schema import Abi
from pytracer.output.style import Quiet, Stamp, Status

OWN_PID = 4242
READ = (Abi.X86_64, 0)


@dataclass
class Notes(Messages):
    """Keeps what would be said."""

    program: str = "pytracer"
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)


def parse(line: str) -> tuple[Options, list[str]]:
    notes = Notes()
    found = Reader(notes, OWN_PID).read(line.split())
    assert isinstance(found, Options)
    return found, notes.notes


def options(line: str) -> Options:
    return parse(line)[0]


def test_defaults() -> None:
    found = options("ls -l")
    assert found.program == ("ls", "-l")
    assert found.trace.everything
    assert found.string_bytes == 32
    assert found.column == 40
    assert found.backend is Backend.AUTO
    assert found.interruptible is Interruptible.WAITING
    assert found.quiet == frozenset()


@pytest.mark.parametrize(
    ("line", "stamp", "digits"),
    [
        ("-t true", Stamp.TIME, 0),
        ("-tt true", Stamp.TIME, 6),
        ("-t -tt true", Stamp.UNIX, 6),
        ("-ttttt true", Stamp.UNIX, 6),
        ("--timestamps true", Stamp.TIME, 0),
        ("--absolute-timestamps=ns true", Stamp.TIME, 9),
        ("--absolute-timestamps=unix,precision:ms true", Stamp.UNIX, 3),
        ("--absolute-timestamps=format:none true", Stamp.NONE, 0),
        ("--timestamps=unix --timestamps=us true", Stamp.UNIX, 6),
    ],
)
def test_timestamps(line: str, stamp: Stamp, digits: int) -> None:
    found = options(line)
    assert (found.stamp, found.stamp_digits) == (stamp, digits)


def test_times_have_a_precision() -> None:
    assert options("-T -r true").times_digits == 6
    assert options("--syscall-times=ns true").times_digits == 9
    assert options("--relative-timestamps=S true").relative_digits == 0


@pytest.mark.parametrize(
    ("line", "quiet"),
    [
        ("-q true", {Quiet.ATTACH, Quiet.PERSONALITY}),
        ("-qq true", {Quiet.ATTACH, Quiet.PERSONALITY, Quiet.EXIT}),
        ("-qqqq true", set(Quiet)),
        ("--quiet true", {Quiet.ATTACH, Quiet.PERSONALITY}),
        ("-e quiet=exits,superseded true", {Quiet.EXIT, Quiet.THREAD_EXECVE}),
        ("-e q=!exit true", set(Quiet) - {Quiet.EXIT}),
        # Implied by a file and a program; taken back by whoever says something else.
        ("-o log true", {Quiet.ATTACH, Quiet.PERSONALITY}),
        ("-o log -p 1", set()),
        ("-o log --quiet=none true", set()),
        ("-o log -qqq true", set(Quiet)),
    ],
)
def test_quiet(line: str, quiet: set[Quiet]) -> None:
    assert options(line).quiet == quiet


@pytest.mark.parametrize(
    ("line", "when"),
    [
        ("true", Interruptible.WAITING),
        ("-o log true", Interruptible.NEVER),
        ("-o log -p 1", Interruptible.WAITING),
        ("-D true", Interruptible.NEVER_TSTP),
        ("-D -o log true", Interruptible.NEVER_TSTP),
        ("-o log -I 1 true", Interruptible.ANYWHERE),
        ("-I always true", Interruptible.ANYWHERE),
        ("--interruptible=never_tstp true", Interruptible.NEVER_TSTP),
    ],
)
def test_interruptible(line: str, when: Interruptible) -> None:
    assert options(line).interruptible is when


def test_following() -> None:
    assert options("-f true").follow
    assert not options("-f true").separately
    assert options("-ff -o log true").separately
    assert options("--follow-forks --output-separately -o log true").separately
    # Without files there is nothing to separate.
    assert not options("-ff true").separately


def test_pids() -> None:
    assert options("-p 1,2 -p 3").pids == (1, 2, 3)
    notes = Notes()
    found = Reader(notes, OWN_PID).read(["-p", "1\n2\t3 4\n"])
    assert isinstance(found, Options)
    assert found.pids == (1, 2, 3, 4)


def test_expressions_are_tried_by_qualifier_first() -> None:
    assert options("-e s=int true").signals.listed == {2}
    assert READ in options("-e read true").trace
    assert options("-e a=none true").abbrev.empty
    assert options("-v true").abbrev.empty
    assert not options("-v -e abbrev=all true").abbrev.empty
    assert READ in options("-e x=read true").raw
    assert READ not in options("-e v=!read true").verbose
    assert options("-e fd=3 true").trace_fds is not None


def test_the_last_status_wins() -> None:
    found, notes = parse("-z -Z true")
    assert found.statuses == {Status.FAILED}
    assert notes == [
        "Only the last of -z/--successful-only/-Z/--failed-only options will take effect. "
        "See status qualifier for more complex filters."
    ]
    assert options("-z --status=all true").statuses == frozenset(Status)


def test_summaries() -> None:
    found = options("-cw -S max_time -U calls,total_time true")
    assert found.summary is Summary.ONLY
    assert found.summary_wall
    assert found.summary_sort == "max-time"
    assert found.summary_columns == ("calls", "total-time", "name")
    assert options("-C true").summary is Summary.BOTH
    assert options("-c -S wall_min true").summary_sort == "wall-min"
    assert options("-c -O 2ms true").overhead_ns == 2_000_000


def test_descriptors() -> None:
    assert options("-y true").decode_fds == {Told.PATH}
    assert options("-yyy true").decode_fds == frozenset(Told)
    assert options("--decode-fds=dev,pidfd true").decode_fds == {Told.DEVICE, Told.PIDFD}


def test_what_has_no_effect_is_said() -> None:
    assert parse("-c -i -n -r -t -T -y true")[1] == [
        f"{name} has no effect with -c/--summary-only"
        for name in (
            "-i/--instruction-pointer",
            "-n/--syscall-number",
            "-r/--relative-timestamps",
            "-t/--absolute-timestamps",
            "-T/--syscall-times",
            "-y/--decode-fds",
        )
    ]
    assert parse("-A --output-separately true")[1] == [
        "--output-separately has no effect without -o/--output",
        "-A/--output-append-mode has no effect without -o/--output",
    ]
    assert parse("--seccomp-bpf true")[1] == [
        "--seccomp-bpf cannot be used without -f/--follow-forks, disabling"
    ]
    found, notes = parse("--seccomp-bpf -f --syscall-limit=3 true")
    assert notes == [
        "--seccomp-bpf is not enabled because it is not compatible with --syscall-limit"
    ]
    assert not found.seccomp_bpf


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--argv0=x -p 1", "PROG [ARGS] must be specified with --argv0"),
        ("--argv0=x", "must have PROG [ARGS] or -p PID"),
        ("--syscall-limit=0 true", "invalid --syscall-limit argument: '0'"),
        ("--syscall-limit=x true", "invalid --syscall-limit argument: 'x'"),
        (
            "--kill-on-exit -p 1",
            "--kill-on-exit and -p/--attach are mutually exclusive options",
        ),
        (f"-p {OWN_PID}", "I'm sorry, I can't let you do that, Dave."),
        ("-e namespace=all true", "invalid -e namespace= argument: 'all'"),
        ("-e kvm=x true", "invalid -e kvm= argument: 'x'"),
        ("-U wall true -c", "unknown column name: 'wall'"),
        ("--backend=x true", "invalid --backend argument: 'x'"),
        ("--duration=0 true", "--duration must be a positive number of seconds, not '0'"),
        ("--duration=nan true", "--duration must be a positive number of seconds, not 'nan'"),
        ("--duration=1e999 true", "--duration must be a positive number of seconds, not '1e999'"),
    ],
)
def test_what_7_2_or_we_alone_refuse(line: str, message: str) -> None:
    with pytest.raises(Failure) as caught:
        options(line)
    assert caught.value.text == message


@pytest.mark.parametrize(
    "line",
    [
        "-kk",
        "--report",
        "-e inject=read:error=EIO",
        "--tips",
        "-e kvm=vcpu",
    ],
)
def test_what_is_not_served_is_refused_by_name(line: str) -> None:
    with pytest.raises(Failure, match=r"^-.* is not supported: .") as caught:
        options(f"{line} true")
    name = line.split("=")[0].split(":")[0]
    assert caught.value.text.startswith(name)


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("-h", Action.HELP),
        ("-f --help -J", Action.HELP),
        ("-V", Action.VERSION),
        ("-Vf --version", Action.VERSION),
        ("--doctor", Action.DOCTOR),
    ],
)
def test_what_is_done_instead(line: str, action: Action) -> None:
    assert Reader(Notes(), OWN_PID).read(line.split()) is action


def test_the_name_we_are_invoked_by(tmp_path: object) -> None:
    assert invoked_name("./pytracer", "/usr/bin") == "./pytracer"
    assert invoked_name("", "/usr/bin") == "pytracer"
    assert invoked_name("/usr/bin/env", "/nonexistent:/usr/bin") == "env"
    assert invoked_name("/usr/bin/env", "/nonexistent") == "/usr/bin/env"
