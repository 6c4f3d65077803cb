"""The stations of a Ray cluster: asked for, checked, given films, and replaced when their machine dies."""

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from cxr_runtime.cluster.host import Films, Host, HostFacts, Parcel, Work
from cxr_runtime.errors import BackendError, CxrTriageError, InstallationError, how_to_install
from cxr_runtime.model.calibration import OperatingPoint
from cxr_runtime.model.folder import Model
from cxr_runtime.names import printable
from cxr_runtime.offline import show_requests
from cxr_runtime.scanning.options import ScanOptions

if TYPE_CHECKING:
    from ray.actor import ActorHandle

ON_A_GPU = ("cuda", "tensorrt")
LOCAL = "local"  # the address of a cluster of this machine alone, which ends with the scan
AHEAD = 2  # groups of films that a station has in hand: one is computed, one is fetched
LOOK_SECONDS = 2.0  # how often new and lost processors are looked for
ANSWERING_SECONDS = 10.0  # that a cluster's port has to take a connection
PATIENCE = 600.0  # seconds without any station after which a scan gives up
TRIES = 3  # of a group of films whose stations die; then each film goes alone
OBJECT_STORE = 256 << 20  # bytes, of a local cluster


@dataclass(frozen=True)
class Lost:
    """Films whose stations have died, one after the other."""

    films: Films
    why: str


@dataclass(eq=False)
class _Station:
    """One actor, and the groups of films that it has."""

    actor: "ActorHandle[Host]"
    ready: Any  # reference to its facts
    facts: HostFacts | None = None  # None: it is still being started
    groups: "dict[Any, _Group]" = field(default_factory=dict)  # by the reference to what it brings


@dataclass(eq=False)
class _Group:
    films: Films
    tries: int = 0  # stations that have died with it


class Crew:
    """As many stations as the cluster has processors, or graphics cards where the backend needs one.

    Args:
        address: of a Ray cluster, or `local`.
        options: how films are scored.
        model: that scores them.
        point: by which they are judged.
        processors: of a local cluster; None: all of this machine.
        is_profiled: stations say what they were busy with.
    """

    def __init__(
        self,
        address: str,
        options: ScanOptions,
        model: Model,
        point: OperatingPoint,
        processors: int | None,
        *,
        is_profiled: bool = False,
    ) -> None:
        self._ray = _connected(address, processors)
        self._needs_gpu = options.require_gpu or options.backend in ON_A_GPU
        has = self._ray.cluster_resources()
        self._threads = max(1, int(has.get("CPU", 1) // has.get("GPU", 1))) if self._needs_gpu else 1
        self._parcel = self._ray.put(Parcel(options, model, point, self._threads, is_profiled))
        self._stations: list[_Station] = []
        self._waiting: deque[_Group] = deque()
        self._looked = 0.0
        self._alive = time.monotonic()  # when there was last a station
        self.facts: set[HostFacts] = set()  # of all stations so far

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    @property
    def has_room(self) -> bool:
        """Whether a station would have less in hand than it may."""
        room = sum(AHEAD - len(station.groups) for station in self._stations if station.facts is not None)
        return room > len(self._waiting)

    @property
    def ready(self) -> int:
        """Stations that do films now."""
        return sum(station.facts is not None for station in self._stations)

    @property
    def processors(self) -> int:
        """Of these stations, all together."""
        return self._threads * self.ready

    @property
    def in_hand(self) -> bool:
        """Whether films were given that have not come back."""
        return bool(self._waiting) or any(station.groups for station in self._stations)

    def give(self, films: Films) -> None:
        """Have some station do films."""
        self._waiting.append(_Group(films))

    def come(self) -> Iterator[Work | Lost]:
        """Wait for a while; what has come meanwhile.

        Raises:
            CxrTriageError: as of `Host.work`, or a machine of the cluster is not like this one.
            BackendError: there has been no station for long.
        """
        self._look()
        self._hand_out()
        asked = {station.ready: station for station in self._stations if station.facts is None}
        asked |= {each: station for station in self._stations for each in station.groups}
        if not asked:
            time.sleep(LOOK_SECONDS / 10)
            return
        came, _ = self._ray.wait(list(asked), num_returns=1, timeout=LOOK_SECONDS)
        for reference in came:
            yield from self._taken(reference, asked[reference])

    def _taken(self, reference: Any, station: _Station) -> Iterator[Work | Lost]:
        if station not in self._stations:  # it has died meanwhile, and its films went elsewhere
            return
        try:
            found = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise _cause(error) from error
        except self._ray.exceptions.RayError as error:  # the station, its machine or what it brought is gone
            yield from self._replace(station, error)
            return
        if isinstance(found, HostFacts):
            station.facts = found
            self.facts.add(found)
        else:
            del station.groups[reference]
            yield found

    def _replace(self, station: _Station, error: Exception) -> Iterator[Lost]:
        """Give what a dead station had to others."""
        self._stations.remove(station)
        self._ray.kill(station.actor)
        for group in station.groups.values():
            group.tries += 1
            if group.tries < TRIES:
                self._waiting.append(group)
            elif len(group.films) > 1:
                self._waiting.extend(_Group([film], tries=1) for film in group.films)
            else:
                yield Lost(group.films, printable(type(error).__name__))

    def _hand_out(self) -> None:
        """Give films to the stations that have least; those that were with a dead one go alone."""
        for depth in range(AHEAD):
            for station in self._stations:
                has_suspect = any(group.tries for group in station.groups.values())
                if station.facts is None or len(station.groups) != depth or has_suspect:
                    continue
                if self._waiting and not (depth and self._waiting[0].tries):
                    group = self._waiting.popleft()
                    station.groups[station.actor.work.remote(group.films)] = group

    def _look(self) -> None:
        """Ask for as many stations as there are processors now."""
        now = time.monotonic()
        if self.ready:
            self._alive = now
        if now - self._alive > PATIENCE:
            raise BackendError(
                f"no machine of the cluster was free for {PATIENCE:.0f} s; what is done is kept: see "
                "`ray status`, and run the same command again"
            )
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        has = self._ray.cluster_resources()
        many = int(has.get("GPU", 0) if self._needs_gpu else has.get("CPU", 0) // self._threads)
        starting = [each for each in self._stations if each.facts is None]
        for station in starting[: max(0, len(self._stations) - many)]:
            self._stations.remove(station)  # its machine went before it came up
            self._ray.kill(station.actor)
        for _ in range(many - len(self._stations)):
            self._stations.append(self._start())

    def _start(self) -> _Station:
        each = {"num_cpus": self._threads, "num_gpus": int(self._needs_gpu)}
        actor = self._ray.remote(Host).options(  # two calls at once: one fetches while one computes
            **each, max_restarts=0, max_concurrency=AHEAD, scheduling_strategy="SPREAD"
        )
        handle = actor.remote(self._parcel)
        return _Station(handle, handle.facts.remote())


def _connected(address: str, processors: int | None) -> Any:
    """Ray, connected to a cluster; it reports to nobody."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    show_requests()
    try:
        import ray
    except ImportError as error:
        raise InstallationError(
            f"--cluster needs Ray, which is not installed ({error}): {how_to_install('cluster')}"
        ) from error
    own: dict[str, Any] = {}
    if address != LOCAL:
        _see_that_it_answers(address)
    else:
        own = {
            "num_cpus": processors or os.cpu_count(),
            "object_store_memory": OBJECT_STORE,
            "include_dashboard": False,
            "_node_ip_address": "127.0.0.1",
        }
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            configure_logging=True,
            logging_level=logging.ERROR,
            namespace="cxr-triage",
            **own,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _unreachable(address, error) from error
    return ray


def _see_that_it_answers(address: str) -> None:
    """Ask at a cluster's port; Ray itself would ask for a quarter of an hour."""
    host, mark, port = address.rpartition("://")[2].rpartition(":")
    if not mark or not port.isdigit():  # a name that Ray knows
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWERING_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: Exception) -> BackendError:
    return BackendError(
        f"the cluster {printable(address)} cannot be reached ({printable(str(error))[:200]}); start it with "
        "`ray start --head`, or use --cluster local"
    )


def _cause(error: Any) -> BaseException:
    """What a station raised, as it would have been raised here."""
    cause = error.cause if isinstance(error.cause, CxrTriageError) else None
    return cause or BackendError(f"a station of the cluster failed: {printable(str(error.cause))[:300]}")
