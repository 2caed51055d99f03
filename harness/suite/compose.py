"""Conversion of YAML text to nodes: safe, and bounded in time, memory and depth for every text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from harness.base import same_name
from harness.errors import BenchError
from harness.suite.nodes import Items, Node, Pairs, Word, got, plain
from harness.suite.source import Findings, Place, Source, shown

DEPTH = 40
SIZE = 20_000
_LETTERS = 64  # letters that count as one node, so that aliases cannot multiply long texts either
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_TAGGED: dict[str, tuple[type, ...]] = {
    "int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),),
}  # fmt: skip
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class _Open:
    """A list or mapping that has begun and not ended; `before` is the size of the document at its start."""

    place: Place
    mapping: bool
    anchor: str | None
    before: int
    children: list[Node] = field(default_factory=list)
    height: int = 0


def compose(source: Source, findings: Findings) -> Node | None:
    """Return the one document of a source, or None if there is none.

    Keys that are not text, are duplicate or merge (`<<`) are noted in `findings` and left out. Raises BenchError
    with the place for anything that is not YAML, more than one document, a tag, and what is too deep or too large,
    where size counts the content of every alias.
    """
    bad = _UNPRINTABLE.search(source.text)
    if bad:
        raise _error(f"the character {shown(bad.group())} does not belong in a text file", _at(source, bad.start()))
    composer = _Composer(source, findings)
    try:
        for event in yaml.parse(source.text, Loader=_LOADER):
            composer.take(event)
    except yaml.YAMLError as error:
        raise _syntax(source, error) from None
    return composer.root


def _error(what: str, place: Place) -> BenchError:
    return BenchError(what, str(place))


def _at(source: Source, offset: int) -> Place:
    lines = Source("", source.text[:offset]).lines
    return Place(source, len(lines), len(lines[-1]) + 1)


def _syntax(source: Source, error: yaml.YAMLError) -> BenchError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return _error(f"not valid YAML: {' '.join(str(error).split())}", Place(source))
    place = Place(source, mark.line + 1, mark.column + 1)
    line = source.lines[mark.line] if mark.line < len(source.lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return _error("tabs cannot indent, use spaces", place)
    began = getattr(error, "context_mark", None)
    context = f" ({getattr(error, 'context', None)} that began on line {began.line + 1})" if began else ""
    return _error(f"not valid YAML: {getattr(error, 'problem', error)}{context}", place)


class _Composer:
    """Builds nodes from parser events with an explicit stack, so that depth is checked early."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self.source = source
        self.findings = findings
        self.root: Node | None = None
        self.documents = 0
        self.size = 0
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int, int] | None] = {}

    def take(self, event: yaml.Event) -> None:
        """Extend the tree by one event of the parser."""
        mark = event.start_mark
        place = Place(self.source, mark.line + 1, mark.column + 1) if mark is not None else Place(self.source)
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _error("a second document begins here: one file is one document", place)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, place)
        elif isinstance(event, yaml.ScalarEvent):
            weight = 1 + len(event.value) // _LETTERS
            self._grow(weight, 0, place)
            self._done(_word(event, place), event.anchor, weight, 0)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, place)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()

    def _grow(self, weight: int, height: int, place: Place) -> None:
        self.size += weight
        if self.size > SIZE:
            raise _error(f"too large: more than {SIZE} values, with aliases written out", place)
        if len(self.stack) + height > DEPTH:
            raise _error(f"nested deeper than {DEPTH} levels", place)

    def _open(self, event: yaml.CollectionStartEvent, place: Place) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if mapping else "seq")):
            raise _unknown_tag(event.tag, place)
        opened = _Open(place, mapping, event.anchor, self.size)
        self._grow(1, 1, place)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(opened)

    def _close(self) -> None:
        done = self.stack.pop()
        node = self._pairs(done) if done.mapping else Items(done.place, tuple(done.children))
        self._done(node, done.anchor, self.size - done.before, done.height + 1)

    def _alias(self, anchor: str | None, place: Place) -> None:
        if anchor is None or anchor not in self.anchors:
            raise _error(f"the alias *{anchor} has no anchor &{anchor} before it", place)
        known = self.anchors[anchor]
        if known is None:
            raise _error(f"the alias *{anchor} stands inside its own anchor", place)
        node, weight, height = known
        self._grow(weight, height, place)
        self._done(node, None, weight, height)

    def _done(self, node: Node, anchor: str | None, weight: int, height: int) -> None:
        if anchor:
            self.anchors[anchor] = node, weight, height
        if not self.stack:
            self.root = node
            return
        self.stack[-1].children.append(node)
        self.stack[-1].height = max(self.stack[-1].height, height)

    def _pairs(self, done: _Open) -> Pairs:
        seen: dict[str, Word] = {}
        kept: list[tuple[Word, Node]] = []
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if isinstance(key, Word) and self._is_key(key, seen):
                kept.append((key, value))
            elif not isinstance(key, Word):
                self.findings.add(key.place, f"a key must be text, got {got(key)}")
        return Pairs(done.place, tuple(kept))

    def _is_key(self, key: Word, seen: dict[str, Word]) -> bool:
        if not isinstance(key.value, str):
            self.findings.add(key.place, f"a key must be text, got {got(key)}")
        elif key.text == "<<":
            self.findings.add(key.place, "merge keys (<<) are not supported: write the keys out")
        elif (name := same_name(key.text)) in seen:
            first = seen[name]
            other = "" if first.text == key.text else f" as {shown(first.text)}"
            what = f"the key {shown(key.text)} is written twice, first on line {first.place.line}{other}"
            self.findings.add(key.place, what)
        else:
            seen[name] = key
            return True
        return False


def _word(event: yaml.ScalarEvent, place: Place) -> Word:
    if event.tag in (None, "!", _TAG + "str"):
        value = plain(event.value) if event.tag is None and event.implicit[0] else event.value
        return Word(place, value, event.value)
    types = _TAGGED.get(event.tag.removeprefix(_TAG), ()) if event.tag.startswith(_TAG) else ()
    value = plain(event.value)
    if not types or not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise _unknown_tag(event.tag, place)
    return Word(place, float(value) if float in types else value, event.value)  # type: ignore[arg-type]


def _unknown_tag(tag: str, place: Place) -> BenchError:
    short = tag.replace(_TAG, "!!")
    return _error(f"the tag {shown(short)} is not allowed here: a suite is plain data", place)
