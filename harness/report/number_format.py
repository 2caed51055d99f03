"""Number formats: digits chosen by the interval's width, aligned decimal points, one unit per column."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.results import Comparison, MetricValue, Ratio

MISSING = "–"
_TIME = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_MEMORY = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
_SCALED = ("s", "seconds", "B", "bytes")


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; `low` and `high` are None without an interval."""

    mean: float
    low: float | None = None
    high: float | None = None

    @property
    def half(self) -> float | None:
        """Half the interval's width."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    @property
    def lopsided(self) -> bool:
        """Whether `mean ± half` would misplace a limit by more than a tenth of the interval."""
        if self.low is None or self.high is None:
            return False
        return abs((self.low + self.high) / 2 - self.mean) > 0.1 * (self.high - self.low)

    def divided(self, unit: float) -> Estimate:
        """Return the same estimate in another unit."""
        low, high = (None if limit is None else limit / unit for limit in (self.low, self.high))
        return Estimate(self.mean / unit, low, high)


def estimate(found: MetricValue | Comparison | Ratio | None) -> Estimate | None:
    """Return a mean, a difference or a ratio with its interval; None without such a number."""
    if found is None:
        return None
    value = (
        found.average
        if isinstance(found, MetricValue)
        else found.difference
        if isinstance(found, Comparison)
        else found.ratio
    )
    return None if value is None else Estimate(value, found.low, found.high)


def _leading(number: float) -> int:
    """Return the power of ten of the first digit; values negligibly below 10 count as 10."""
    return math.floor(math.log10(number) + 1e-9)


def decimals(items: Sequence[Estimate], significant: int = 4) -> int:
    """Return decimals that give the median half-width two significant digits and the smallest one at least one.

    Without intervals: as many as give the median number `significant` digits. Never more than two beyond the median's.
    Numbers negligible beside the largest one do not count.
    """
    items = [item for item in items if math.isfinite(item.mean)]
    halves = [item.half for item in items if item.half and _nothing(items) < item.half < math.inf]
    numbers = halves or [abs(item.mean) for item in items if abs(item.mean) > _nothing(items)]
    if not numbers:
        return 2
    middle = (1 if halves else significant - 1) - _leading(statistics.median_low(numbers))
    smallest = -_leading(min(numbers))
    return max(0, middle, min(smallest, middle + 2))


def _nothing(items: Iterable[Estimate]) -> float:
    """Return the value below which a number reads as zero beside the largest number of a column."""
    return 1e-9 * max((abs(item.mean) for item in items if math.isfinite(item.mean)), default=0.0)


def unit_for(items: Iterable[Estimate], unit: str | None) -> tuple[float, str]:
    """Return the unit of a column: (its size, name to show; "" if there is none).

    Seconds and bytes take the prefix that fits the median; any other number takes a power of 1000 only where it
    would not fit in a column.
    """
    known = [item for item in items if math.isfinite(item.mean)]
    size = statistics.median_low([abs(item.mean) for item in known if abs(item.mean) > _nothing(known)] or [1.0])
    for names, steps in (({"s", "seconds"}, _TIME), ({"B", "bytes"}, _MEMORY)):
        if unit in names:
            return next((step for step in steps if step[0] <= size), steps[-1])
    if decimals(known) > 6 or size >= 1e7:
        power = _leading(size) // 3 * 3
        return 10.0**power, f"1e{power} {unit}" if unit else f"1e{power}"
    return 1.0, unit or ""


def number(value: float, places: int | None, signed: bool = False) -> str:
    """Format the number with fixed decimals (None: in powers of ten) and a true minus sign.

    >>> number(-0.125, 2), number(0.5, 3, signed=True), number(1.25e-8, None)
    ('−0.12', '+0.500', '1.2e-8')
    """
    text = f"{value:.{places}f}" if places is not None else _scientific(value)
    return ("−" if text.startswith("-") else "+" if signed else "") + text.removeprefix("-")


def _scientific(value: float) -> str:
    head, power = f"{value:.1e}".split("e")
    return f"{head}e{int(power)}"


def _places(items: Sequence[Estimate | None], significant: int) -> list[int | None]:
    """Return the decimals of each item: equal for all, but None if number and interval would both read as zero."""
    known = [item for item in items if item is not None]
    places = decimals(known, significant)
    noise = 1e-12 * max((abs(item.mean) for item in known if math.isfinite(item.mean)), default=0.0)

    def lost(item: Estimate) -> bool:
        seen = round(item.mean, places) or round(item.half or 0.0, places)
        return bool(item.half) and abs(item.mean) > noise and not seen

    return [None if item is not None and lost(item) else places for item in items]


def _justified(
    values: Sequence[float | None], places: Sequence[int | None], signed: bool, missing: str = ""
) -> list[str]:
    pairs = zip(values, places, strict=True)
    texts = [missing if value is None else number(value, count, signed) for value, count in pairs]
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def estimates(items: Sequence[Estimate | None], signed: bool = False, significant: int = 4) -> list[str]:
    """Format one column: `mean ± half` throughout, or `mean [low, high]` throughout if one interval is lopsided.

    All texts have the same width and the same number of decimals; None and a missing interval are left blank.
    """
    places = _places(items, significant)
    centers = _justified(_each(items, lambda item: item.mean), places, signed, MISSING)
    bracketed = any(item.lopsided for item in items if item is not None)
    tails = _brackets(items, places, signed) if bracketed else _halves(items, places)
    return [center + tail for center, tail in zip(centers, tails, strict=True)]


def _each(items: Sequence[Estimate | None], part: Callable[[Estimate], float | None]) -> list[float | None]:
    return [None if item is None else part(item) for item in items]


def _halves(items: Sequence[Estimate | None], places: Sequence[int | None]) -> list[str]:
    texts = _justified(_each(items, lambda item: item.half), places, signed=False)
    return [f" ± {text}" if text.strip() else " " * (3 + len(text)) if text else "" for text in texts]


def _brackets(items: Sequence[Estimate | None], places: Sequence[int | None], signed: bool) -> list[str]:
    lows = _justified(_each(items, lambda item: item.low), places, signed)
    highs = _justified(_each(items, lambda item: item.high), places, signed)
    both = zip(lows, highs, strict=True)
    return [f" [{low}, {high}]" if low.strip() else " " * (4 + len(low) + len(high)) for low, high in both]


def printed(value: float, text: str) -> str:
    """Format a published number with all its digits, its decimal point at the position in its rounded `text`.

    >>> printed(0.9561, " 0.96       "), printed(1.0, "1.000"), printed(9.996, "10.00")
    (' 0.9561     ', '1.000', ' 9.996')
    """
    whole, _, digits = f"{value:.10g}".partition(".")
    rounded = re.match(r"(\s*[^\s.]+)\.?(\d*)", text)
    if rounded is None or "e" in text + whole + digits or len(digits) <= len(rounded[2]):
        return text
    return f"{whole.replace('-', '−').rjust(len(rounded[1]))}.{digits}".ljust(len(text))


def told(item: Estimate, unit: str | None = None, signed: bool = False) -> tuple[str, str]:
    """Format a number and its interval for a sentence, with the same decimals, as many as the interval has.

    Without an interval: with three digits, and the second text is empty.

    >>> told(Estimate(0.0124, 0.00777, 0.0169), signed=True), told(Estimate(0.914, 0.801, 1.03), "nats")
    (('+0.0124', '0.0078 to 0.0169'), ('0.91 nats', '0.80 to 1.03'))
    >>> told(Estimate(2.5e-5, 2.4e-5, 2.6e-5), "s"), told(Estimate(0.5))
    (('25.0 µs', '24.0 to 26.0'), ('0.500', ''))
    """
    scaled = unit in _SCALED
    size, name = unit_for([item], unit) if scaled else (1.0, unit or "")
    item = item.divided(size)
    if not item.mean and not item.half:
        return f"{'+' if signed else ''}0{name and f' {name}'}", "" if item.low is None else "0 to 0"
    count: int | None = decimals([item], significant=3)
    count = None if (count or 0) > 7 else count
    texts = ["" if each is None else _plain(each, count) for each in (item.mean, item.low, item.high)]
    sign = "+" if signed and not texts[0].startswith("-") else ""
    return f"{sign}{texts[0]}{name and f' {name}'}", " to ".join(texts[1:]) if all(texts) else ""


def _plain(value: float, places: int | None) -> str:
    """Format a number with the hyphen that sentences have for a minus sign."""
    return number(value, places).replace("−", "-")


def aligned(texts: Sequence[str]) -> list[str]:
    """Align decimal points.

    >>> aligned(["0.03", "1", "10.5"])
    [' 0.03', ' 1   ', '10.5 ']
    """
    parts = [text.partition(".") for text in texts]
    before = max((len(whole) for whole, _, _ in parts), default=0)
    after = max((len(point + rest) for _, point, rest in parts), default=0)
    return [whole.rjust(before) + (point + rest).ljust(after) for whole, point, rest in parts]


def p_value(p: float | None) -> str:
    """Format with three decimals; `<0.001` below.

    >>> p_value(0.0312), p_value(1e-9), p_value(None)
    ('0.031', '<0.001', '–')
    """
    return MISSING if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def bytes_text(count: int) -> str:
    """Format a number of bytes with the prefix that fits.

    >>> bytes_text(12), bytes_text(1536), bytes_text(5 << 30)
    ('12 B', '1.5 KiB', '5.0 GiB')
    """
    size, unit = next((step for step in _MEMORY if step[0] <= count), _MEMORY[-1])
    return f"{count} B" if unit == "B" else f"{count / size:.1f} {unit}"


def duration(seconds: float) -> str:
    """Format a duration.

    >>> duration(0.21), duration(75), duration(7500)
    ('0.2 s', '1 min 15 s', '2 h 5 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
