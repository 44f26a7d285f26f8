"""The user's stack at a system call (-k): unwound, and told by function."""
