"""What the subcommands of `bench` do."""
