"""One run, from the options to the exit status: the stages put together."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

from pytracer.backend.base import Backend, NotExecuted, TargetError
from pytracer.cli import building, choosing
from pytracer.cli.destination import Destination
from pytracer.cli.exclusions import alone
from pytracer.cli.filters import filter_for
from pytracer.cli.interrupts import Interrupts, die_by
from pytracer.cli.messages import Messages
from pytracer.cli.options import OnFull, Options, Summary
from pytracer.cli.refusals import Refusals
from pytracer.cli.session import Output, Session
from pytracer.cli.standard import release_standard_descriptors
from pytracer.decode.decoder import Decoder
from pytracer.target.selection import Members, Selection, Target

if TYPE_CHECKING:
    from pytracer.backend.ebpf.programs import StreamPrograms
    from pytracer.backend.recorder import Recording
    from pytracer.cli.counting import CountingOutput
    from pytracer.decode.frames.seen import Seen
    from pytracer.output.ndjson.lines import NdjsonOutput
    from pytracer.output.text.lines import TextOutput

# How much the target is preferred to the writing of its trace, where that need not keep up.
_NICE: Final = 10
# New objects between two looks for cycles of garbage.
_MANY_OBJECTS: Final = 100_000


def trace(
    options: Options, target: Target, programs: StreamPrograms | None, messages: Messages
) -> int:
    """Trace, and give the exit status. ``programs``: what the kernel has been given already.

    Errors: Failure, BackendUnavailable.
    """
    refusals = Refusals(messages)
    filters = filter_for(options, messages)
    decoding = building.decoding(options, filters)
    with ExitStack() as stack:
        destination = Destination(options, messages)
        stack.callback(destination.close)
        if isinstance(target, Members):
            target = target._replace(spared=destination.commands)
        selection = building.selection(options)
        recording = _recording(options, selection, messages, stack)
        backend = choosing.make(
            options, target, selection, decoding, refusals.tell, messages.note, recording, programs
        )
        if options.debug:
            messages.note(f"the backend is {backend.name}")
        stopped = backend.name == "ptrace"
        decoder, signals = building.decoders(options, decoding, filters, stopped)
        seen = building.seen_mappings(options, backend.name)
        stacks = building.stacks(options, seen)
        output = building.output(
            options, destination.sink, backend, messages, signals, stacks=stacks
        )
        session, counting = put_together(
            options, backend, decoder, output, destination, messages, stack, seen
        )
        # From here on signals are ours: the backend has noted how the program shall find them.
        interrupts = Interrupts(options.interruptible, session.interrupt, backend, messages.note)
        stack.callback(interrupts.cancel)

        def set_timers() -> None:
            if options.duration_s is not None:
                interrupts.after(options.duration_s)
            if options.interval_s is not None and counting is not None:
                interrupts.every(options.interval_s, counting.tick)

        if not options.daemonize:
            set_timers()
        # The program, which this process will be, must not have our timers.
        then = set_timers if options.daemonize else None
        try:
            observe(session, refusals, _niceness(options, backend), then)
        except NotExecuted as error:
            session.tell(error)
            destination.forsake()
    return _status(session, interrupts)


def _recording(
    options: Options, selection: Selection, messages: Messages, stack: ExitStack
) -> Recording | None:
    """Begin the recording that is asked for, if one is; ``stack`` ends it."""
    if options.record is None:
        return None
    from pytracer.cli.recording import close, open_recording

    recording = open_recording(options, selection, messages.note)
    stack.callback(close, recording, options, messages)
    return recording


def put_together(
    options: Options,
    backend: Backend,
    decoder: Decoder,
    output: TextOutput | NdjsonOutput,
    destination: Destination,
    messages: Messages,
    stack: ExitStack,
    seen: Seen | None = None,
) -> tuple[Session, CountingOutput | None]:
    """Put a session together, and what counts, if that is wanted; ``stack`` ends both.

    ``seen``: what remembers what is mapped, for the ``output``.
    """
    counting = None
    if options.summary is not Summary.NONE:
        from pytracer.cli.counting import CountingOutput, own_counter

        counter = own_counter(backend)
        counting = CountingOutput(options, output, destination.write, counter)
    shown: Output = counting or output
    if options.record is not None and alone(options):
        from pytracer.cli.recording import OnlyTold

        shown = OnlyTold(output)
    elif seen is not None:
        from pytracer.output.mapped import MappedOutput

        shown = MappedOutput(shown, seen)
    session = Session(options, backend, decoder, shown, messages)
    stack.callback(session.tell_losses)
    if counting is not None:
        stack.callback(lambda: destination.write(counting.table()))
    stack.callback(output.close)
    stack.callback(backend.close)
    if counting is not None:
        stack.callback(counting.finish)
    return session, counting


def _niceness(options: Options, backend: Backend) -> int:
    """How much the target goes before the writing of its trace; what is held back goes behind."""
    if backend.name != "ebpf" or os.geteuid():
        return 0
    return _NICE if options.on_full is OnFull.DROP else -_NICE


def observe(
    session: Session,
    refusals: Refusals,
    niceness: int = 0,
    then: Callable[[], None] | None = None,
) -> None:
    """Run a session.

    Errors: NotExecuted.
    ``niceness``: what the writing of the trace is nice by. ``then``: called once it has started.
    """

    def started() -> None:
        if then is not None:
            then()
        release_standard_descriptors()
        # The target has been started, or was there before: it runs ahead of what is written
        # about it. Who may not do without niceness again leaves it alone: the process that
        # empties the rings, made later, must not wait.
        if niceness:
            with suppress(PermissionError):
                os.setpriority(os.PRIO_PROCESS, 0, niceness)

    # Events hold no cycles: looking for some among them, time and again, costs a call as much
    # as decoding it does.
    gc.freeze()
    gc.enable()
    gc.set_threshold(_MANY_OBJECTS)
    try:
        session.run(started)
    except NotExecuted:
        raise
    except TargetError as error:
        refusals.tell(error) if error.pid else session.tell(error)


def _status(session: Session, interrupts: Interrupts) -> int:
    """The exit status, as strace has it: the program's, or 1 when nothing could be traced."""
    if interrupts.signo:
        return die_by(interrupts.signo)
    if session.status is None:
        return 0 if session.attached or session.waited else 1
    if os.WIFSIGNALED(session.status):
        return die_by(os.WTERMSIG(session.status))
    return os.WEXITSTATUS(session.status)
