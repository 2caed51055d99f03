"""Options of single commands and of several, as parents of their parsers."""

from __future__ import annotations

import argparse

from harness.cli.option_types import amount, columns, count, days, labels, names, seconds, target


def check_options() -> argparse.ArgumentParser:
    """Return the options of `bench check`."""
    options = argparse.ArgumentParser(add_help=False, parents=[color_option()])
    options.add_argument("what", metavar="PLUGIN", help="a file, a module, [KIND:]NAME or 'NAME: {field: value}'")
    options.add_argument("--timeout", type=seconds, default=120.0, metavar="SECONDS", help="limit for one component")
    return options


def sample_options() -> argparse.ArgumentParser:
    """Return the options of `bench sample`."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("model", metavar="MODEL", help="a denoiser's NAME or 'NAME: {field: value}'")
    options.add_argument("--plugin", action="append", default=[], metavar="FILE_OR_MODULE", help="add a plugin")
    options.add_argument("--sampler", default="ddim", metavar="NAME", help="as a suite names it, fields too")
    options.add_argument("--variance", metavar="NAME", help="the estimate of the variance (none: the least noise)")
    options.add_argument("--spacing", default="even", metavar="NAME")
    options.add_argument("--schedule", metavar="NAME", help="in place of the model's own")
    options.add_argument("--steps", type=count, default=10, metavar="N")
    options.add_argument("-n", dest="samples", type=count, default=64, metavar="N", help="how many samples")
    options.add_argument("--seed", type=int, default=0, metavar="N")
    options.add_argument("--clip-x0", action="store_true", help="clip predictions to the range of the data")
    options.add_argument("--labels", type=labels, metavar="LIST", help="classes to draw labels from, such as 3 or 3,7")
    options.add_argument("--guidance", type=float, metavar="W", help="classifier-free guidance (1: off)")
    options.add_argument("--timeout", type=seconds, default=3600.0, metavar="SECONDS")
    options.add_argument("--out", type=target, default="samples.png", metavar="FILE", help="FILE.png or FILE.npy")
    return options


def new_options() -> argparse.ArgumentParser:
    """Return the words of `bench new`."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("what", choices=("plugin", "suite"), metavar="plugin|suite", help="what to write")
    options.add_argument(
        "names", nargs="+", metavar="[KIND] NAME", help="of a plugin its kind and its name; of a suite its name"
    )
    return options


def doctor_options() -> argparse.ArgumentParser:
    """Return the options of `bench doctor`."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--pairs", type=count, default=40, metavar="N", help="how often it is timed against itself")
    options.add_argument("--budget", type=seconds, default=0.5, metavar="SECONDS", help="for each of a pair")
    store = "examine what is stored instead, and move what cannot be read into a folder of its own"
    options.add_argument("--store", action="store_true", help=store)
    add_results(options)
    return options


def clean_options() -> argparse.ArgumentParser:
    """Return the options of `bench clean`."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--older-than", type=days, metavar="AGE", help="what has not changed for 12h, 30d or 4w")
    options.add_argument("--keep", type=count, metavar="N", help="the newest N runs stay")
    options.add_argument("--size", type=amount, metavar="SIZE", help="the oldest runs, until 500M or 2G are left")
    options.add_argument("--caches", action="store_true", help="artifacts and interrupted trainings too")
    options.add_argument("--records", action="store_true", help="the runs' measurements too, but those others need")
    options.add_argument(
        "--yes", action="store_true", help="remove results and measurements, which are only listed else"
    )
    options.add_argument("--dry-run", action="store_true", help="remove nothing, say what would be")
    add_results(options)
    return options


def import_options() -> argparse.ArgumentParser:
    """Return the options of `bench import`."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("file", metavar="FILE", help="a table: .csv, .tsv, .jsonl or .parquet")
    roles = (
        "columns by role: contender, problem, seed, metric, value, examples; COLUMN+COLUMN for both; others are guessed"
    )
    options.add_argument("--map", type=columns, default={}, metavar="ROLE=COLUMN,...", help=roles)
    options.add_argument(
        "--higher", type=names, default=(), metavar="METRIC,...", help="metrics of which more is better"
    )
    options.add_argument(
        "--lower", type=names, default=(), metavar="METRIC,...", help="metrics of which less is better"
    )
    options.add_argument("--baseline", metavar="NAME", help="the contender that others are compared with")
    return options


def color_option() -> argparse.ArgumentParser:
    """Return the option on colors."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    return options


def add_results(command: argparse.ArgumentParser) -> None:
    """Add the option on the results folder."""
    command.add_argument("--results", default="results", metavar="DIR", help="where everything is kept (./results)")


def table_options() -> argparse.ArgumentParser:
    """Return a parser with the options that sort rows and choose columns, for the parents of a command's."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--sort", metavar="METRIC", help="rows of every table by a metric, the best first")
    columns = (
        "only these columns, in this order: metrics, difference, verdict, p, forest, tuned, learned, time, seeds ..."
    )
    options.add_argument("--columns", type=names, default=(), metavar="LIST", help=columns)
    return options


def add_open(command: argparse.ArgumentParser) -> None:
    """Add `--open`, the report as a page."""
    said = "write the report as an HTML page beside the run, and show it in a browser where there is one"
    command.add_argument("--open", action="store_true", help=said)


def offline_option() -> argparse.ArgumentParser:
    """Return `--offline`, for the parents of a command."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--offline", action="store_true", help="download nothing; list all that is missing at once")
    return options
