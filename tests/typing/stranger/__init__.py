"""A package as a stranger writes it: one plugin of every kind, each with the types that its kind declares."""
