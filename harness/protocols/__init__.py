"""The kinds of experiment: each says what it needs, what it offers to metrics, and how one cell is measured."""
