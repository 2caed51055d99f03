"""One short plugin of each kind, as `bench info KIND` shows it. They are copied, not registered."""
