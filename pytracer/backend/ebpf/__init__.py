"""The eBPF backend: raw tracepoints report every call, the target never stops."""
