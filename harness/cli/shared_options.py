"""Options that several commands share."""

from __future__ import annotations

import argparse


def add_open(command: argparse.ArgumentParser) -> None:
    """Add `--open`, the report as a page."""
    said = "write the report as an HTML page beside the run, and show it in a browser where there is one"
    command.add_argument("--open", action="store_true", help=said)


def offline_option() -> argparse.ArgumentParser:
    """Return `--offline`, for the parents of a command."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--offline", action="store_true", help="download nothing; list all that is missing at once")
    return options
