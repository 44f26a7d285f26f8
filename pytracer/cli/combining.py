"""How options go together: what excludes, implies or has no effect without what.

Source: strace(1); the messages are strace's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pytracer.cli.messages import Failure, Messages
from pytracer.cli.options import Color, Interruptible, Options, Summary
from pytracer.decode.told import Told
from pytracer.output.style import Quiet, Stamp

MOST_DAEMONIZE: Final = 3
MOST_STACK_TRACE: Final = 2

_QUIETS: Final = (
    frozenset({Quiet.ATTACH, Quiet.PERSONALITY}),
    frozenset({Quiet.ATTACH, Quiet.PERSONALITY, Quiet.EXIT}),
    frozenset(Quiet),
)
_STAMPS: Final = ((Stamp.TIME, 0), (Stamp.TIME, 6), (Stamp.UNIX, 6))
# -x and -xx, in terms of --strings-in-hex=.
_HEX_STRINGS: Final = (0, 2, 3)


@dataclass(slots=True)
class Counts:
    """What only matters in combination: how often, and in which spelling, options were given."""

    given: dict[str, int] = field(default_factory=dict)
    only: int = 0
    quiet_given: bool = False
    decode_fds_given: bool = False
    interruptible_given: bool = False
    timestamps_long: bool = False
    daemonize_long: int = 0
    hex_strings_long: int | None = None

    def __getitem__(self, letter: str) -> int:
        return self.given.get(letter, 0)


def combine(options: Options, counts: Counts, messages: Messages) -> Options:
    """Check options against each other and fill in what follows from them.

    Errors: Failure where they exclude each other; what has no effect is only said.
    """
    _check_program(options, counts)
    options = _count(options, counts, messages)
    _check_summary(options, messages)
    if options.json:
        _check_json(options)
    if options.output is None:
        # A single -f has its own files nowhere: the message is for who asked for just that.
        if options.separately and not options.follow:
            messages.note("--output-separately has no effect without -o/--output")
        if options.append:
            messages.note("-A/--output-append-mode has no effect without -o/--output")
    if counts.only > 1:
        messages.note(
            "Only the last of -z/--successful-only/-Z/--failed-only options will take effect. "
            "See status qualifier for more complex filters."
        )
    return _imply(options, counts)


def _check_program(options: Options, counts: Counts) -> None:
    grouped = options.grouped
    targets = options.program or options.pids or options.replay is not None
    if not targets and grouped is None:
        raise Failure("must have PROG [ARGS] or -p PID", hint=True)
    if options.program and grouped is not None:
        raise Failure(
            f"{grouped} cannot be given together with PROG: trace PROG by itself", hint=True
        )
    if options.argv0 is not None and not options.program:
        raise Failure("PROG [ARGS] must be specified with --argv0", hint=True)
    if counts.daemonize_long and counts["D"]:
        raise Failure("-D and --daemonize cannot be provided simultaneously")
    if not options.program and (counts["D"] or counts.daemonize_long):
        raise Failure("PROG [ARGS] must be specified with -D/--daemonize", hint=True)
    if counts["D"] > MOST_DAEMONIZE:
        raise Failure(
            f"Too many -D's ({counts['D']}), maximum supported -D count is {MOST_DAEMONIZE}",
            hint=True,
        )
    if options.kill_on_exit and grouped is not None:
        raise Failure(f"--kill-on-exit and {grouped} are mutually exclusive options", hint=True)
    if options.kill_on_exit and options.pids:
        raise Failure("--kill-on-exit and -p/--attach are mutually exclusive options", hint=True)


def _count(options: Options, counts: Counts, messages: Messages) -> Options:
    options = options._replace(daemonize=counts["D"] or counts.daemonize_long)
    if counts["t"]:
        if counts.timestamps_long:
            raise Failure("-t and --absolute-timestamps cannot be provided simultaneously")
        stamp, digits = _STAMPS[min(counts["t"], len(_STAMPS)) - 1]
        options = options._replace(stamp=stamp, stamp_digits=digits)
    hex_strings = _HEX_STRINGS[min(counts["x"], 2)]
    if counts.hex_strings_long is not None:
        if hex_strings:
            raise Failure("-x and --strings-in-hex cannot be provided simultaneously")
        hex_strings = counts.hex_strings_long
    options = options._replace(hex_strings=hex_strings)
    if counts["y"]:
        if counts.decode_fds_given:
            raise Failure("-y and --decode-fds cannot be provided simultaneously")
        every = frozenset(Told)
        options = options._replace(decode_fds=frozenset({Told.PATH}) if counts["y"] == 1 else every)
    return _count_following(_count_frames(options, counts, messages), counts, messages)


def _count_frames(options: Options, counts: Counts, messages: Messages) -> Options:
    if not counts["k"]:
        if "stack-trace-frame-limit" in options.asked:
            messages.note("--stack-trace-frame-limit has no effect without -k/--stack-trace")
        return options
    if counts["k"] > MOST_STACK_TRACE:
        raise Failure("Too many -k options", hint=True)
    if counts["k"] == MOST_STACK_TRACE:
        raise Failure(
            "-kk/--stack-trace=source is not supported: use -k, and addr2line(1) for the lines"
        )
    return options._replace(stack_trace=True)


def _count_following(options: Options, counts: Counts, messages: Messages) -> Options:
    if options.seccomp_bpf and options.detach_on_execve:
        messages.note("--seccomp-bpf is not enabled because it is not compatible with -b")
        options = options._replace(seccomp_bpf=False)
    if options.seccomp_bpf and options.syscall_limit is not None:
        messages.note(
            "--seccomp-bpf is not enabled because it is not compatible with --syscall-limit"
        )
        options = options._replace(seccomp_bpf=False)
    if counts["f"]:
        if options.follow:
            raise Failure("-f and --follow-forks cannot be provided simultaneously")
        if counts["f"] > 1 and options.separately:
            raise Failure("-ff and --output-separately cannot be provided simultaneously")
        # A single -f takes --output-separately back, as it does in strace.
        options = options._replace(follow=True, separately=counts["f"] > 1)
    if options.seccomp_bpf:
        if options.pids and (not options.program or options.debug):
            messages.note("--seccomp-bpf is not enabled for processes attached with -p")
        if not options.follow:
            messages.note("--seccomp-bpf cannot be used without -f/--follow-forks, disabling")
            options = options._replace(seccomp_bpf=False)
    if options.seccomp_bpf and options.duration_s is not None:
        raise Failure(
            "--duration cannot be used with --seccomp-bpf: the filter outlives the tracing, and "
            "would have the calls it selects fail"
        )
    if counts["F"]:
        if options.follow:
            messages.note("deprecated option -F ignored")
        else:
            messages.note("option -F is deprecated, please use -f/--follow-forks instead")
            options = options._replace(follow=True)
    return options


def _check_summary(options: Options, messages: Messages) -> None:
    counting = "(-c/--summary-only or -C/--summary)"
    if options.summary is Summary.NONE:
        if options.summary_wall:
            raise Failure(f"-w/--summary-wall-clock must be given with {counting}", hint=True)
        if options.summary_columns:
            raise Failure(f"-U/--summary-columns must be given with {counting}", hint=True)
        if options.interval_s is not None:
            raise Failure(f"--interval must be given with {counting}", hint=True)
        if "S" in options.asked:
            messages.note(f"-S/--summary-sort-by has no effect without {counting}")
    elif options.separately:
        raise Failure(f"{counting} and -ff/--output-separately are mutually exclusive", hint=True)
    if options.summary is Summary.ONLY:
        for useless, spelled in (
            (options.instruction_pointer, "-i/--instruction-pointer"),
            (options.syscall_number, "-n/--syscall-number"),
            (options.relative_digits is not None, "-r/--relative-timestamps"),
            (options.stamp is not Stamp.NONE, "-t/--absolute-timestamps"),
            (options.times_digits is not None, "-T/--syscall-times"),
            (bool(options.decode_fds), "-y/--decode-fds"),
            (options.stack_trace, "-k/--stack-trace"),
        ):
            if useless:
                messages.note(f"{spelled} has no effect with -c/--summary-only")


# Keys of options that are about how text looks.
_ABOUT_TEXT: Final = (
    ("a", "-a/--columns", "objects have none"),
    ("x", "-x/--strings-in-hex", "what is not UTF-8 is in hexadecimal anyway"),
    ("strings-in-hex", "-x/--strings-in-hex", "what is not UTF-8 is in hexadecimal anyway"),
    ("X", "-X/--const-print-style", "constants have both value and name"),
    ("r", "-r/--relative-timestamps", "take the difference of time_ns"),
    ("U", "-U/--summary-columns", "a summary has them all"),
)


def _check_json(options: Options) -> None:
    if options.color is Color.ALWAYS:
        raise Failure("--color=always is about text, not --json: use jq --color-output")
    for key, spelled, instead in _ABOUT_TEXT:
        if key in options.asked:
            raise Failure(f"{spelled} is about text, not --json: {instead}")


def _imply(options: Options, counts: Counts) -> Options:
    if options.piped is not None and options.separately:
        raise Failure(
            "piping the output and -ff/--output-separately are mutually exclusive", hint=True
        )
    to_file_and_run = bool(options.output or options.record) and bool(options.program)
    if not counts.interruptible_given:
        if options.daemonize:
            options = options._replace(interruptible=Interruptible.NEVER_TSTP)
        elif to_file_and_run:
            options = options._replace(interruptible=Interruptible.NEVER)
    quiet = counts["q"]
    if quiet and counts.quiet_given:
        raise Failure("-q and -e quiet/--quiet cannot be provided simultaneously")
    implied = not quiet and not counts.quiet_given and not options.json
    # Of the whole host, each process that comes and goes would be announced.
    if implied and (to_file_and_run or options.everyone):
        quiet = 1
    if quiet:
        options = options._replace(quiet=_QUIETS[min(quiet, len(_QUIETS)) - 1])
    if options.output is None:
        # Without files to write to, -ff is -f.
        options = options._replace(separately=False)
    return options
