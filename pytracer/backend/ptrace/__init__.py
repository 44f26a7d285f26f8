"""The ptrace backend: every stop of every task, with the target's memory live."""
