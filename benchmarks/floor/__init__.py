"""The least that tracing system calls can cost: programs that do next to nothing."""
