"""How many cells run where, and engines by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.engines import Demands, Engine, Place, PlaceLost, local
from harness.engines.named import named
from harness.engines.ray import Offer, _check_possible, _dealt, _wanted
from harness.errors import BenchError, Failure
from harness.suite import Resources
from harness.worker.supervisor import Server

GIB = 1 << 30


def demands(each: Resources = Resources(cpus=1), **words: Any) -> Demands:  # noqa: B008, RUF100 - it is frozen
    return Demands(Server(), Path("results"), each, **words)


def offer(name: str, free: dict[str, float]) -> Offer:
    return Offer(name, name, free, free)


def dealt(asked: Demands, *free: dict[str, float]) -> dict[str, int]:
    offers = [offer(f"n{number}", each) for number, each in enumerate(free)]
    return {each.name: count for each, count in _dealt(offers, asked)}


def test_as_many_cells_as_the_scarcest_resource_holds() -> None:
    nodes = {"CPU": 8.0, "GPU": 2.0, "memory": 16.0 * GIB}, {"CPU": 64.0, "memory": 8.0 * GIB}
    assert dealt(demands(Resources(cpus=2)), *nodes) == {"n0": 4, "n1": 32}
    assert dealt(demands(Resources(cpus=2, gpus=1)), *nodes) == {"n0": 2}
    assert dealt(demands(Resources(cpus=2, memory=4096)), *nodes) == {"n0": 4, "n1": 2}
    assert dealt(demands(Resources(cpus=16, gpus=1)), *nodes) == {}


def test_jobs_are_spread_evenly_and_one_at_a_time_is_on_the_largest_node() -> None:
    nodes = {"CPU": 2.0}, {"CPU": 8.0}, {"CPU": 4.0}
    assert dealt(demands(jobs=7), *nodes) == {"n0": 2, "n1": 3, "n2": 2}
    assert dealt(demands(jobs=99), *nodes) == {"n0": 2, "n1": 8, "n2": 4}
    assert dealt(demands(alone=True), *nodes) == {"n1": 1}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"gpus": 3}, "resources.gpus: a cell takes 3, and no node of the cluster has more than 2"),
        (
            {"memory": 9000},
            "resources.memory: a cell takes 9000 MiB, and no node of the cluster has more than 8192 MiB",
        ),
        ({"cpus": 8, "gpus": 1}, "resources: no node of the cluster has all that a cell takes"),
    ],
)
def test_what_no_node_has_is_named(asked: dict[str, int], said: str) -> None:
    nodes = [offer("a", {"CPU": 4.0, "GPU": 2.0, "memory": 8.0 * GIB}), offer("b", {"CPU": 8.0, "memory": 8.0 * GIB})]
    _check_possible(_wanted(demands()), nodes)
    with pytest.raises(BenchError, match=f"^{said}$"):
        _check_possible(_wanted(demands(Resources(**{"cpus": 1, **asked}))), nodes)


def test_here_cells_share_gpus_in_groups_of_what_each_takes() -> None:
    def gpus(each: int | None, *there: str) -> list[str | None]:
        return [place.gpu for place in local.Local(demands(Resources(gpus=each), gpus=there)).places()]

    assert gpus(None, "0", "1", "2") == ["0", "1", "2"] == gpus(1, "0", "1", "2")
    assert gpus(2, "0", "1", "2", "3", "4") == ["0,1", "2,3"]
    assert gpus(8, "0", "1") == ["0,1"]


def test_here_a_cell_always_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "cores", lambda: 8)

    def count(each: Resources, **words: Any) -> int:
        return len(local.Local(demands(each, **words)).places())

    assert [count(Resources(cpus=cpus)) for cpus in (2, 3, 99)] == [4, 2, 1]
    assert count(Resources(cpus=1, memory=1 << 29)) == 1, "more memory than any machine has"
    assert count(Resources(cpus=2), jobs=3) == 3 and count(Resources(cpus=2), jobs=3, alone=True) == 1


class Spot(Place):
    """A place that is lost as soon as it is told so."""

    lost = False

    @property
    def is_lost(self) -> bool:
        return self.lost

    def start(self, log: str, **_: object) -> object:  # type: ignore[override]
        raise AssertionError

    def bring(self, name: str) -> None: ...

    def fetch(self, name: str) -> None: ...


class Spots(Engine):
    """Two places, and one more once any is lost."""

    more = 1

    def places(self) -> list[Spot]:
        return [Spot(), Spot()]

    def replacements(self) -> list[Spot]:
        self.more -= 1
        return [Spot()] if self.more >= 0 else []

    def stop(self) -> None: ...

    def close(self) -> None: ...


def test_lost_places_are_not_given_again_and_the_end_of_all_is_a_failure() -> None:
    engine = Spots(demands())
    assert engine.open() == 2 == engine.open()
    given: list[Spot] = []
    for _ in range(3):
        with engine.place() as place:
            assert isinstance(place, Spot) and place not in given
            given.append(place)
            place.lost = True
    for _ in range(2):
        with pytest.raises(Failure, match="every node was lost"), engine.place():
            raise PlaceLost


def test_engines_by_name() -> None:
    assert named("local", []) is local.Local
    with pytest.raises(BenchError, match=r"--engine rey: no engine is called 'rey', did you mean ray\?"):
        named("rey", [])
