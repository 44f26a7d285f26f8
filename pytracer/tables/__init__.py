"""Descriptions of system calls, by family. Data only; the language is :mod:`pytracer.spec`."""

FAMILIES = (
    "attributes",
    "files",
    "network",
    "sockopts",
    "paths",
    "process",
    "stat",
    "transfers",
)
