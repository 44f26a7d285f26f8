"""Descriptions of system calls, by family. Data only; the language is :mod:`pytracer.spec`."""

FAMILIES = (
    "attributes",
    "credentials",
    "fcntl",
    "files",
    "memory",
    "network",
    "paths",
    "poll",
    "process",
    "signals",
    "sockopts",
    "stat",
    "threads",
    "times",
    "transfers",
    "xattr",
)
