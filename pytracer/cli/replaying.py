"""A recording in place of a backend: the same stages, nothing live."""

from __future__ import annotations

from contextlib import ExitStack

from pytracer.cli import building
from pytracer.cli import recording as recordings
from pytracer.cli.destination import Destination
from pytracer.cli.filters import filter_for
from pytracer.cli.interrupts import Interrupts, die_by
from pytracer.cli.messages import Messages
from pytracer.cli.options import Options
from pytracer.cli.refusals import Refusals
from pytracer.cli.tracing import observe, put_together
from pytracer.decode.siginfo import SignalDecoder


def replay(options: Options, messages: Messages) -> int:
    """Show a recording, and give the exit status.

    Errors: Failure.
    """
    backend = recordings.open_replay(options)
    with ExitStack() as stack:
        stack.callback(backend.close)
        adopted = recordings.adopt(options, backend.header, messages.note)
        filters = filter_for(adopted, messages)
        decoding = building.decoding(adopted, filters)
        descriptors = recordings.descriptors(adopted)
        if filters is not None:
            filters.names = descriptors
        if not options.decode_fds:
            descriptors = None
        destination = Destination(options, messages)
        stack.callback(destination.close)
        backend.select(building.selection(adopted))
        decoder = recordings.decoder(adopted, decoding, backend.known)
        signals = SignalDecoder(decoder.options.processes, descriptors)
        seen = building.seen_mappings(adopted, backend.header.backend)
        stacks = building.stacks(adopted, seen, backend.known)
        output = building.output(
            adopted, destination.sink, backend, messages, signals, backend.header, stacks
        )
        session, _ = put_together(
            adopted, backend, decoder, output, destination, messages, stack, seen
        )
        interrupts = Interrupts(options.interruptible, session.interrupt, backend, messages.note)
        observe(session, Refusals(messages))
    if interrupts.signo:
        return die_by(interrupts.signo)
    if backend.damage:
        messages.note(f"{options.replay}: {backend.damage}: shown is what can be read of it")
        return 1
    return 0
