"""Descriptions of system calls, by family. Data only; the language is :mod:`pytracer.spec`."""

FAMILIES = (
    "files",
    "network",
    "sockopts",
    "process",
    "stat",
    "transfers",
)
