"""Netlink messages, by protocol.

``buffer`` is what calls know: a buffer of a socket. ``attributes`` and ``message`` are the words in
which the other modules describe messages; ``route`` and ``sockdiag`` say which message is what.
"""
