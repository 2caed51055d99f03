"""A run from its suite to its result: prepared, measured cell by cell or in turns, confirmed, ended."""
