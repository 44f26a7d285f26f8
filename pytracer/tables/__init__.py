"""Descriptions of system calls, by family. Data only; the language is :mod:`pytracer.spec`."""

FAMILIES = (
    "attributes",
    "fcntl",
    "files",
    "network",
    "sockopts",
    "paths",
    "process",
    "signals",
    "stat",
    "transfers",
    "xattr",
)
