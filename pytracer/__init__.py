"""System-call tracing for Linux x86_64: strace's words at eBPF's price."""

__version__ = "0.1.0"
