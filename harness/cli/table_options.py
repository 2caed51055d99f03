"""Options of `bench report` on its tables."""

from __future__ import annotations

import argparse

from harness.cli.option_types import names


def table_options() -> argparse.ArgumentParser:
    """Return a parser with the options that sort rows and choose columns, for the parents of a command's."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--sort", metavar="METRIC", help="rows of every table by a metric, the best first")
    columns = (
        "only these columns, in this order: metrics, difference, verdict, p, forest, tuned, learned, time, seeds ..."
    )
    options.add_argument("--columns", type=names, default=(), metavar="LIST", help=columns)
    return options
