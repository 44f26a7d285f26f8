"""Whom to trace, and what of it is wanted."""
