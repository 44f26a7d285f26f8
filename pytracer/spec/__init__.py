"""The language in which system calls are described: types, values and capture plans.

It names no system call and imports nothing of the rest of pytracer.
"""
