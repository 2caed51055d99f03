"""Parser of a command line whose mistakes are one line."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from harness.errors import near_miss


class OneLineParser(argparse.ArgumentParser):
    """Parser that reports a mistake in one line, with the closest option."""

    def error(self, message: str) -> NoReturn:
        unknown = re.search(r"unrecognized arguments: --([\w-]+)", message)
        self.exit(2, f"{self.prog}: {message}{self._elsewhere(unknown[1]) if unknown else ''}\n")

    def _elsewhere(self, option: str) -> str:
        """Return the commands that have an option, or the closest option of any."""
        homes = [command for command, options in self.options().items() if option in options]
        if homes:
            return f", --{option} is an option of bench {', '.join(homes)}"
        near = near_miss(option, set().union(*self.options().values())).closest
        return f", did you mean --{near}?" if near else ""

    def options(self) -> dict[str, set[str]]:
        """Return the long options, without their dashes, of this parser (named "") and of each of its commands."""
        commands = [a.choices for a in self._actions if isinstance(a.choices, dict)]
        own = {option[2:] for a in self._actions for option in a.option_strings if option.startswith("--")}
        inner = {name: set().union(*command.options().values()) for each in commands for name, command in each.items()}
        return {"": own, **inner}
