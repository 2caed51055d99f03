"""Interleaved timing of components."""
