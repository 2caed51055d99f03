"""Subcommands of `bench`."""
