"""The ptrace backend: every stop of every task, with the target's memory live."""

from pytracer.backend.ptrace.backend import PtraceBackend

__all__ = ["PtraceBackend"]
