"""Text as strace prints it."""
