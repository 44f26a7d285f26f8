"""The command line: strace's grammar. The one place that prints errors and exits."""
