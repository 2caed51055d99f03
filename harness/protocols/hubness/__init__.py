"""Counting how often each point is a neighbor of others."""
