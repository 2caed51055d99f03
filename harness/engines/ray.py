"""The engine `ray`: a cluster, with one actor on each node that holds the fork server there.

Ray decides what is free on which node and keeps it for the run; the harness isolates the cells. Ray's own output goes
to its log files.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.engines import Demands, Engine, PlaceLost
from harness.engines.node import Node, carried
from harness.engines.remote import Link, RemoteEngine, RemoteNode, RemotePlace
from harness.errors import BenchError, Failure, one_line
from harness.hookspecs import hookimpl

STARTED_WITHIN = 120.0
"""Seconds within which an actor must start and compare its files with the driver's."""
CALLED_WITHIN = 600.0
"""Seconds within which an actor must do what takes no measuring; files may be large."""
ENDED_WITHIN = 5.0
"""Seconds within which an actor must end its processes, before it is killed."""
LOCAL = "local"
KEYS = {"CPU": "cpus", "GPU": "gpus", "memory": "memory"}
"""Keys of a suite's resources by Ray's names."""


class Offer(NamedTuple):
    """A node of the cluster: its id, its name in messages, what it has in all, and what is free, by Ray's names."""

    id: str
    name: str
    total: Mapping[str, float]
    free: Mapping[str, float]


class RayNode(Node):
    """A node in a Ray actor."""

    def gpus(self) -> list[str]:
        """Return the GPUs that Ray gave to the actor."""
        return [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]


class RayLink(Link):
    """Carries calls to an actor; content of files goes through the object store, once for all nodes."""

    def __init__(self, ray: Any, actor: Any, stored: dict[Path, Any]) -> None:
        self._ray, self._actor, self._stored = ray, actor, stored

    def call(self, method: str, *arguments: Any) -> Any:
        """Return what a method of the actor returns."""
        with self._errors():
            return self._ray.get(getattr(self._actor, method).remote(*arguments), timeout=CALLED_WITHIN)

    def stream(self, method: str, *arguments: Any, within: float | None) -> Iterator[Any]:
        """Yield what a method of the actor yields."""
        with self._errors():
            said = getattr(self._actor, method).options(num_returns="streaming").remote(*arguments)
            while self._ray.wait([said], timeout=within)[0]:
                try:
                    yield self._ray.get(next(said))
                except StopIteration:
                    return
        raise PlaceLost

    def shared(self, file: Path) -> Any:
        """Return the reference of a file's content."""
        if file not in self._stored:
            self._stored[file] = self._ray.put(file.read_bytes())
        return self._stored[file]

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._ray.exceptions.RayTaskError as error:
            raise Failure("crashed", f"the node failed: {one_line(str(error.cause))}") from None
        except self._ray.exceptions.RayError:
            raise PlaceLost from None


class Ray(RemoteEngine):
    """A Ray cluster: as many cells at once as fit in what is free when the run begins, and is kept for it."""

    def __init__(self, demands: Demands) -> None:
        super().__init__(demands)
        self._ray: Any = None
        self._actors: dict[str, Any] = {}
        self._nodes: dict[str, RemoteNode] = {}
        self._stored: dict[Path, Any] = {}

    def places(self) -> Sequence[RemotePlace]:
        """Connect, and return the places that fit. Raises BenchError where no node can ever hold a cell."""
        self._ray = _imported()
        self._connect(self.demands.address or LOCAL)
        wanted = _wanted(self.demands)
        _check_possible(wanted, self._offers())
        return self._started(self._waited(wanted))

    def replacements(self) -> Sequence[RemotePlace]:
        """Return places on nodes without a working actor; none where a node does not do."""
        for name in [name for name, node in self._nodes.items() if node.lost]:
            del self._nodes[name]
            with contextlib.suppress(Exception):  # it may be there, and not answer
                self._ray.kill(self._actors.pop(name))
        found: list[RemotePlace] = []
        others = [offer for offer in self._offers() if offer.id not in self._nodes]
        for dealt in _dealt(others, self.demands, self.working):
            with contextlib.suppress(BenchError, Failure):
                found += self._started([dealt])
        return found

    def stop(self) -> None:
        """End every process and every actor."""
        if self._ray is None:
            return
        with contextlib.suppress(Exception):  # an actor may have ended, and so may the cluster
            self._ray.wait([actor.stop.remote() for actor in self._actors.values()], num_returns=len(self._actors),
                           timeout=ENDED_WITHIN)  # fmt: skip
        for actor in self._actors.values():
            with contextlib.suppress(Exception):
                self._ray.kill(actor)
        self._actors = {}

    def close(self) -> None:
        """End the actors, and leave the cluster; one that this run started ends."""
        super().close()
        if self._ray is not None:
            with _silent():
                self._ray.shutdown()

    def _connect(self, address: str) -> None:
        if address.startswith("ray://"):
            raise BenchError(f"--address {address}: name the cluster itself, HOST:PORT, from one of its machines")
        more: dict[str, Any] = {"include_dashboard": False} if address == LOCAL else {}
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with _silent():
                self._ray.init(
                    address=address, namespace=f"bench-{uuid.uuid4().hex}", log_to_driver=False,
                    configure_logging=False, **more,
                )  # fmt: skip
        except Exception as error:  # of many classes
            hint = " (is RAY_AUTH_TOKEN that of the cluster?)" if isinstance(error, ConnectionError) else ""
            raise BenchError(f"--engine ray --address {address}: {one_line(str(error))}{hint}") from None
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _offers(self) -> list[Offer]:
        from ray._private.state import available_resources_per_node  # the public functions add all nodes up

        free: Mapping[str, Mapping[str, float]] = available_resources_per_node()  # type: ignore[no-untyped-call]
        alive = [each for each in self._ray.nodes() if each["Alive"]]
        return [
            Offer(
                each["NodeID"], f"{each['NodeManagerAddress']} ({each['NodeID'][:8]})",
                each["Resources"], free.get(each["NodeID"], {}),
            )
            for each in alive
        ]  # fmt: skip

    def _waited(self, wanted: Mapping[str, float]) -> list[tuple[Offer, int]]:
        """Return what fits on which node, once anything is free."""
        limit, said = time.monotonic() + self.demands.timeout, False
        while not (dealt := _dealt(self._offers(), self.demands)):
            if time.monotonic() > limit:
                raise BenchError(f"--engine ray: no node was free for a cell within {self.demands.timeout:g} s")
            if not said:
                what = ", ".join(f"{amount:g} {name}" for name, amount in wanted.items())
                self.demands.say(f"waiting for a node with {what} free")
            said = True
            time.sleep(1.0)
        return dealt

    def _started(self, dealt: Sequence[tuple[Offer, int]]) -> list[RemotePlace]:
        """Start an actor on each of some nodes and check it; return their places, those of different nodes in turn."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        wanted, alone = _wanted(self.demands), self.demands.alone
        for offer, count in dealt:
            held = {name: amount * count for name, amount in wanted.items()}
            if alone:  # nothing else runs beside what is timed
                held["CPU"] = max(held["CPU"], int(offer.free.get("CPU", 0)))
            self._actors[offer.id] = self._ray.remote(RayNode).options(
                num_cpus=held.pop("CPU"), num_gpus=held.pop("GPU", 0), **held, max_concurrency=2 * count + 8,
                scheduling_strategy=NodeAffinitySchedulingStrategy(offer.id, soft=False),
            ).remote([each for each in sys.path if each], carried())  # fmt: skip
        found = [self._checked(offer, count) for offer, count in dealt]
        return [place for several in itertools.zip_longest(*found) for place in several if place is not None]

    def _checked(self, offer: Offer, count: int) -> list[RemotePlace]:
        """Return the places of a node, once its actor has started and has the same files."""
        actor = self._actors[offer.id]
        try:
            gpus = self._ray.get(actor.gpus.remote(), timeout=STARTED_WITHIN)
            node = self.joined(offer.name, RayLink(self._ray, actor, self._stored))
        except PlaceLost:
            raise BenchError(f"node {offer.name}: it was lost while it was compared with this machine") from None
        except self._ray.exceptions.RayError as error:
            raise BenchError(f"node {offer.name}: it cannot start processes: {_reason(error)}") from None
        self._nodes[offer.id] = node
        size = self.demands.each.gpus or 0
        if not size:
            return [RemotePlace(node) for _ in range(count)]
        return [RemotePlace(node, ",".join(gpus[at : at + size])) for at in range(0, count * size, size)]


def _imported() -> Any:
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")  # it writes warnings on stderr
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else a Ray of this run's own reports its use
    try:
        with _silent():
            import ray
    except ImportError:
        raise BenchError("--engine ray needs the extra ray: pip install touchstone-bench[ray]") from None
    return ray


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Drop what Ray prints, its compiled part too, and its warnings."""
    import warnings

    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for descriptor, own in zip((1, 2), kept, strict=True):
            os.dup2(own, descriptor)
        for descriptor in (*kept, nowhere):
            os.close(descriptor)


def _reason(error: Exception) -> str:
    """Return the last line of what Ray says, which is the exception on the node."""
    return one_line((str(error).strip().splitlines() or [type(error).__name__])[-1])


def _wanted(demands: Demands) -> dict[str, float]:
    """Return what one cell takes, by Ray's names; memory in bytes."""
    each = demands.each
    more = {"GPU": each.gpus or 0, "memory": (each.memory or 0) << 20}
    return {"CPU": each.cpus or 1, **{name: amount for name, amount in more.items() if amount}}


def _check_possible(wanted: Mapping[str, float], offers: Sequence[Offer]) -> None:
    """Raises BenchError if no node could hold a cell even with nothing else on it."""
    if any(all(offer.total.get(name, 0) >= amount for name, amount in wanted.items()) for offer in offers):
        return
    for name, amount in wanted.items():
        most = max((offer.total.get(name, 0) for offer in offers), default=0)
        if most < amount:
            asked, there = (f"{int(n) >> 20} MiB" if name == "memory" else f"{n:g}" for n in (amount, most))
            what = f"a cell takes {asked}, and no node of the cluster has more than {there}"
            raise BenchError(f"resources.{KEYS[name]}: {what}")
    raise BenchError("resources: no node of the cluster has all that a cell takes")


def _dealt(offers: Sequence[Offer], demands: Demands, working: int = 0) -> list[tuple[Offer, int]]:
    """Return how many cells at once run on which node: as many as fit, or `jobs` with those `working`, evenly."""
    wanted = _wanted(demands)
    rooms = [min(int(offer.free.get(name, 0) // amount) for name, amount in wanted.items()) for offer in offers]
    most = 1 if demands.alone else demands.jobs
    left = max(0, most - working) if most else sum(rooms)
    counts = [0] * len(offers)
    while left and (open_ := [place for place, room in enumerate(rooms) if counts[place] < room]):
        place = min(open_, key=lambda place: (counts[place], -rooms[place]))
        counts[place] += 1
        left -= 1
    return [(offer, count) for offer, count in zip(offers, counts, strict=True) if count]


@hookimpl
def engines() -> dict[str, type[Engine]]:
    """Return this engine."""
    return {"ray": Ray}
