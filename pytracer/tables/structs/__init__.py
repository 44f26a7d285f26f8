"""Structures and types that several families share."""
