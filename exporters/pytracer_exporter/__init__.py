"""Syscall counts and latencies of services, for Prometheus."""
