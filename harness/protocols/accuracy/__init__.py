"""Training of classifiers and their evaluation on held-out examples."""
