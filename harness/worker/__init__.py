"""Where work is done: a warm server, one forked process per cell, and the questions it answers."""
