"""Descriptions of system calls, by family. Data only; the language is :mod:`pytracer.spec`."""

FAMILIES = (
    "attributes",
    "credentials",
    "fcntl",
    "files",
    "memory",
    "network",
    "paths",
    "process",
    "signals",
    "sockopts",
    "stat",
    "times",
    "transfers",
    "xattr",
)
