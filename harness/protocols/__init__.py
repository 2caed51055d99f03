"""Kinds of experiment: each defines its needs, its inputs for metrics, and the measurement of one cell."""
