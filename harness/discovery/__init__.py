"""Plugins: found, imported, checked, described without being imported, and built by name."""
