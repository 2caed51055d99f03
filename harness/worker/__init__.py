"""Worker processes: a warm server, one forked process per cell, and the requests it handles."""
