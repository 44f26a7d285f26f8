"""Where events come from: ptrace, eBPF or a recording."""
