"""Finished runs: found again, compared, and one beside another."""
