"""Timing components in turns."""
