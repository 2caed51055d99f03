"""What a transform gives: is it a distribution, how exact, at what cost."""
