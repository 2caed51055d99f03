"""Tests of the stock plugins."""
