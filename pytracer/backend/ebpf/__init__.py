"""The eBPF backend: raw tracepoints report every call, the target never stops."""

from pytracer.backend.ebpf.backend import EbpfBackend

__all__ = ["EbpfBackend"]
