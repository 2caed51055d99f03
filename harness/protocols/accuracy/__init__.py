"""Training classifiers and judging them on held-out examples."""
