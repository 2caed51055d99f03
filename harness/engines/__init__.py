"""Where work is done: one forked process per cell, on this machine."""
