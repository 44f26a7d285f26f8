"""The entry point: what has to be so before anything else is imported."""

from __future__ import annotations

import gc
import os
import signal
import sys

from pytracer.cli.messages import Messages, invoked_name, say_crashes
from pytracer.cli.standard import protect_standard_descriptors


def main() -> None:
    """Run as a command: the one place that exits."""
    # What is imported is no garbage: a session looks for some again.
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until a session handles it, an interrupt ends us as it ends any program.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    protect_standard_descriptors()
    messages = Messages(invoked_name(sys.argv[0], os.environ.get("PATH", "")))
    say_crashes(messages, whole=False)
    from pytracer.cli.command import run

    sys.exit(run(sys.argv[1:], messages))
