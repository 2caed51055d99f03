"""Pure functions of arrays: intervals and tests of values, of differences, of ratios."""
