"""Sampling, and comparison of the samples with the target."""
