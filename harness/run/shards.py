"""Shards: the cells of a suite dealt to several machines, by the identities of the cells and never by their places.

Cells that share an artifact other than a table of data (a trained network, a fitted variance) stay together, and so do
those that take turns. Shards are of equal size, as far as that allows. Most cells keep their shard when others join.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from harness.analysis.exit_status import is_lost
from harness.discovery.digests import digest
from harness.results import Run, Shard
from harness.results.manifests import Manifest
from harness.run.load import LoadedSuite
from harness.run.plan import plan
from harness.run.task import Plan, Task

Bundle = list[int]
"""Places of the cells that stay together."""
BRIEF = 24
"""Characters of the digest of all cells: enough to tell suites apart."""


def dealt(prepared: LoadedSuite, device: str) -> LoadedSuite:
    """Return the suite with the cells of its shard, all other cells left out; the suite itself without a shard.

    `device` is that of cells without a device of their own.
    """
    if prepared.wishes.shard is None:
        return prepared
    number, of = prepared.wishes.shard
    whole = plan(prepared.suite, prepared.cells, prepared.catalogue, device, prepared.absent, prepared.left_out)
    ids = [task.id for task in whole.tasks]
    own = {*deal(bundles(whole), ids, of)[number - 1]}
    cells = [cell for place, cell in enumerate(prepared.cells) if place in own]
    others = [cell for place, cell in enumerate(prepared.cells) if place not in own]
    shard = Shard(number, of, len(cells), len(prepared.cells), digest(sorted(ids))[:BRIEF])
    return dataclasses.replace(prepared, cells=cells, left_out=[*others, *prepared.left_out], shard=shard)


def manifest(found: Run, shard: Shard) -> Manifest:
    """Return the manifest of a shard's run; a cell that was skipped for a lost artifact has failed too."""
    return Manifest(found.run, found.suite, shard, tuple(row.id for row in found.cells if is_lost(row)))


def bundles(whole: Plan) -> list[Bundle]:
    """Return the cells of a plan that stay together: of one problem that takes turns, with one artifact, or equal."""
    places = {id(task): place for place, task in enumerate(whole.tasks)}
    groups = [[places[id(task)] for task in group] for group in whole.measured()]
    by_key: dict[str, Bundle] = {}
    for place, task in enumerate(whole.tasks):
        for key in (task.id, *_shared(whole, task)):
            by_key.setdefault(key, []).append(place)
    return joined(len(whole.tasks), [*groups, *by_key.values()])


def _shared(whole: Plan, task: Task) -> Iterator[str]:
    """Yield the artifacts of a task for whose sake cells stay together; a table is loaded by every shard."""
    return (key for key in task.artifacts.values() if whole.artifacts[key].kind != "dataset")


def joined(count: int, groups: Sequence[Bundle]) -> list[Bundle]:
    """Return the places 0 to `count` - 1 in bundles, such that every one of the overlapping groups is in one."""
    roots = [*range(count)]

    def root(place: int) -> int:
        while roots[place] != place:
            roots[place] = place = roots[roots[place]]
        return place

    for first, *others in groups:
        for other in others:
            roots[root(other)] = root(first)
    found: dict[int, Bundle] = {}
    for place in range(count):
        found.setdefault(root(place), []).append(place)
    return [*found.values()]


def deal(bundled: Sequence[Bundle], ids: Sequence[str], of: int) -> list[Bundle]:
    """Return the places of every shard. No shard is empty if there are as many bundles.

    The identity of a bundle names its shard; where that is full, it goes to the emptiest. Large bundles come first.
    """
    named = sorted((-len(bundle), min(ids[place] for place in bundle), bundle) for bundle in bundled)
    full = _full([len(bundle) for *_, bundle in named], of)
    shards: list[Bundle] = [[] for _ in range(of)]
    for _, identity, bundle in named:
        shard = shards[int(digest(identity)[:16], 16) % of]
        if len(shard) + len(bundle) > full:
            shard = min(shards, key=len)
        shard += bundle
    return shards


def _full(sizes: Sequence[int], of: int) -> int:
    """Return the size of a shard if all are equal but those that a bundle larger than that, one of `sizes`, fills."""
    left, total = of, sum(sizes)
    for size in sizes:  # the largest first
        if not left or size * left <= total:
            break
        total, left = total - size, left - 1
    return total // left if left else 0
