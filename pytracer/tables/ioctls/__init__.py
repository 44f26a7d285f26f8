"""What ioctl requests pass, by topic: modules whose ``REQUESTS`` map a request's name to a type.

``RESULTS``, where a module has it, maps a request's name to what it returns.
"""

TOPICS = (
    "block",
    "filesystems",
    "loop",
    "namespaces",
    "small",
    "terminal",
)
