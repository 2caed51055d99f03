"""Counts of how often each point is a neighbor of others."""
