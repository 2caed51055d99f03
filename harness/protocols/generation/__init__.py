"""Drawing samples and comparing them with the target."""
