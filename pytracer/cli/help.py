"""What -h and -V print."""

from __future__ import annotations

from typing import Final

from pytracer import __version__

_USAGE: Final = """\
Usage: {0} [-ACdffhinNqqrtttTvVwxxyyYzZ] [-I N] [-b execve] [-e EXPR]...
       {1} [-a COLUMN] [-o FILE] [-s STRSIZE] [-X FORMAT] [-O OVERHEAD]
       {1} [-S SORTBY] [-P PATH]... [-p PID]... [-U COLUMNS] [--seccomp-bpf]
       {1} {{ -p PID | [-DDD] [-E VAR=VAL]... [-u USERNAME] PROG [ARGS] }}
   or: {0} -c[dfwzZ] [-I N] [-b execve] [-e EXPR]... [-O OVERHEAD]
       {1} [-S SORTBY] [-P PATH]... [-p PID]... [-U COLUMNS] [--seccomp-bpf]
       {1} {{ -p PID | [-DDD] [-E VAR=VAL]... [-u USERNAME] PROG [ARGS] }}
   or: {0} --doctor | --explain SYSCALL | --json-schema

Trace the system calls and signals of a program, or of running processes.
Options mean what they mean in strace 7.2; they end at the program's name.

  {0} -f make                     a program and its children
  {0} -p 1234 -t -T               a running process, with times
  {0} -e trace=%network,open CMD  some calls only
  {0} --backend=ebpf -f -p 1234 --duration 10
                                  a live service for ten seconds, not stopping it
  {0} --unit nginx --slower-than 10ms -T -o FILE
                                  the slow calls of a unit
  {0} -c ls                       a summary
  {0} --json -p 1234 | jq 'select(.errno == "EACCES")'
                                  objects for other programs

  {0} --record FILE -f -p 1234; {0} --replay FILE -T
                                  keep what is captured, and show it later

Backends:
  --backend=auto|ebpf|ptrace
                 how to observe: ebpf does not slow the target down, ptrace works
                 everywhere and serves every option; auto takes ebpf where both
                 tell the same: to attach, to count, and with -o
  --duration=SECONDS
                 detach after SECONDS (fractions allowed), write all that was seen until
                 then, and exit
  --spool-size=BYTES[kMG]
                 how much may wait to be written with ebpf (default 1G)
  --on-full=drop|pause|pause-attached
                 what to do with ebpf when so much waits: count what is lost (default),
                 or let each call of the launched program, or selected control group,
                 take a millisecond until there is room; of attached processes as well
  --ring-size=BYTES[kMG]
                 how much the kernel holds for us on each CPU with ebpf
  --record=FILE  keep what is captured in FILE; no text is written without -o
  --replay=FILE  show what is kept in FILE
  --doctor       tell which backends work here, and what to do about those that do not

Targets, besides PROG and -p (see docs/targets.md):
  --unit=NAME    what belongs to a systemd unit, over restarts; may be repeated
  --cgroup=PATH  what is in a control group, or below it; may be repeated
  --container=ID what is in a container, by its id or the beginning of it
  --comm=PATTERN what has a command name like PATTERN (*, ?, [a-z]); may be repeated
  --all          the whole host, but for pytracer itself

Startup:
  -E VAR=VAL, --env=VAR=VAL
                 put VAR=VAL in the environment of the program
  -E VAR, --env=VAR
                 remove VAR from the environment of the program
  -p PID, --attach=PID
                 trace the process PID, or several, separated by commas or blanks;
                 may be repeated
  -u USERNAME, --user=USERNAME|UID:GID
                 run the program as USERNAME, or with these ids
  --argv0=NAME   set argv[0] of the program

Tracing:
  -b execve, --detach-on=execve
                 detach on the execve system call
  -D, --daemonize[=grandchild]
                 run the tracer as a grandchild, not as the parent
  -DD, --daemonize=pgroup
                 run the tracer in a separate process group
  -DDD, --daemonize=session
                 run the tracer in a separate session
  -f, --follow-forks
                 follow forks, and all threads of a process given with -p
  -ff, --follow-forks --output-separately
                 follow forks, one output file for each process
  -I INTERRUPTIBLE, --interruptible=INTERRUPTIBLE
     1, anywhere:   no signals are blocked
     2, waiting:    fatal signals end the tracing (default)
     3, never:      fatal signals are ignored (default with -o FILE PROG)
     4, never_tstp: fatal signals and SIGTSTP (^Z) are ignored
  --kill-on-exit kill all tracees when the tracer ends
  --seccomp-bpf  stop only for the calls that are traced (with -f and PROG)
  --syscall-limit=N
                 detach after N calls were shown

Filtering:
  -e trace=[!][?]{{SYSCALL|GROUP|all|/REGEX}}[@64|@32|@x32]|none,...
   --trace=...   trace only these calls
     groups:     %clock, %creds, %desc, %file, %fstat, %fstatfs, %ipc, %lstat,
                 %memory, %net, %process, %pure, %signal, %stat, %%stat,
                 %statfs, %%statfs
  -e trace-fds=SET, --trace-fds=SET
                 trace only calls on the descriptors of SET
  -e signal=SET, --signal=SET
                 trace only these signals
  -e status=SET, --status=SET
                 show only calls with these return statuses
     statuses:   successful, failed, unfinished, unavailable, detached
  --slower-than=TIME
                 show only calls that took at least TIME, as in 10ms, 250us, 1.5s
  -P PATH, --trace-path=PATH
                 trace only calls that access PATH; may be repeated
  -z, --successful-only
                 show only calls that returned without an error
  -Z, --failed-only
                 show only calls that returned with an error

Output:
  -a COLUMN, --columns=COLUMN
                 align results in COLUMN (default 40)
  -e abbrev=SET, --abbrev=SET
                 abbreviate the output of these calls
  -e verbose=SET, --verbose=SET
                 show structures of these calls
  -e raw=SET, --raw=SET
                 show undecoded arguments of these calls
  -e quiet=SET, --quiet=SET
                 leave out messages
     messages:   attach, exit, path-resolution, personality, thread-execve
  -e decode-fds=SET, --decode-fds=SET
                 what to tell about descriptors
     details:    dev, eventfd, path, pidfd, signalfd, socket
  --color=WHEN   colour the output: auto, the default, on a terminal unless NO_COLOR
                 is set; always; never
  --json         write JSON, one object a line (see docs/json.md), to FILE of -o;
                 without -o to standard output, or to standard error beside PROG
  --json-schema  show the schema of these objects
  -i, --instruction-pointer
                 show the instruction pointer
  -n, --syscall-number
                 show the number of the call
  -N, --arg-names
                 show the names of arguments
  -o FILE, --output=FILE
                 write to FILE; to the command that follows a | or !
  -A, --output-append-mode
                 append to FILE
  --output-separately
                 write a file for each process, FILE.PID
  --always-show-pid
                 begin each line with the process id
  -q, --quiet=attach,personality
                 leave out messages about attaching and detaching
  -qq, --quiet=attach,personality,exit
                 leave out messages about exits as well
  -qqq, --quiet=all
                 leave out all messages that can be left out
  -r, --relative-timestamps[=PRECISION]
                 show the time since the line before
     precision:  s, ms, us or ns; default us
  -s STRSIZE, --string-limit=STRSIZE
                 show at most STRSIZE bytes of a string (default 32)
  --absolute-timestamps=[[format:]FORMAT[,[precision:]PRECISION]]
                 show the time of day
     format:     none, time or unix; default time
     precision:  s, ms, us or ns; default s
  -t, -tt, -ttt  show the time; with microseconds; in seconds since the epoch
  -T, --syscall-times[=PRECISION]
                 show the time spent in each call
  -k, --stack-trace[=symbol]
                 show the functions that led to each call
  --stack-trace-frame-limit=N
                 show at most so many of them (default 256)
  -v, --no-abbrev
                 show whole structures
  -x, --strings-in-hex=non-ascii
                 show strings that are not ASCII in hexadecimal
  -xx, --strings-in-hex[=all]
                 show all strings in hexadecimal
  --strings-in-hex=non-ascii-chars
                 use hexadecimal instead of octal in escapes
  -X FORMAT, --const-print-style=FORMAT
                 how to show constants: raw, abbrev or verbose
  -y, --decode-fds[=path]
                 show paths of descriptors
  -yy, --decode-fds=all
                 show all there is to know about descriptors
  -Y, --decode-pids=comm
                 show command names of process ids

Statistics:
  -c, --summary-only
                 count calls, errors and time, and show a summary only
  -C, --summary  the same, and the calls too
  -O OVERHEAD[UNIT], --summary-syscall-overhead=OVERHEAD[UNIT]
                 take this off the time of each call
  -S SORTBY, --summary-sort-by=SORTBY
                 sort by time, min-time, max-time, avg-time, calls, errors, name,
                 nothing (default time)
  -U COLUMNS, --summary-columns=COLUMNS
                 show time-percent, total-time, min-time, max-time, avg-time, calls,
                 errors, name, wall-total, wall-min, wall-max, wall-avg, and
                 p50, p90, p99, p99.9 (percentiles of wall-clock time, within 12.5 %),
                 errnos (errors by name)
  -w, --summary-wall-clock
                 sum up the time between entry and exit, not the system time
  --interval=SECONDS
                 show a summary of every SECONDS, too

Miscellaneous:
  --explain=SYSCALL
                 show what is known of a system call: its arguments, the groups that it
                 is in, and what the ebpf backend captures of it
  -d, --debug    show what the tracer itself does on standard error
  -h, --help     show this
  -V, --version  show the version
"""


def usage(program: str) -> str:
    """Write the summary of options."""
    return _USAGE.format(program, " " * (len(program) - 1) if len(program) < 20 else "")


def version() -> str:
    """Write the version."""
    return (
        f"pytracer -- version {__version__}\n"
        "This is free software under the Apache License 2.0; there is NO warranty.\n"
        "\n"
        "Backends: ebpf (BCC) ptrace; ABIs: x86_64 i386 x32; the words of strace 7.2\n"
    )
