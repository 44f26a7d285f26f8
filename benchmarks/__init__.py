"""Comparisons with other tracers, side by side in one run."""
