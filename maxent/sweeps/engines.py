"""Where cells are worked on: this process, processes of this machine, a Dask or a Ray cluster."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from maxent.errors import ConfigError, MaxEntError
from maxent.support.arguments import quoted
from maxent.support.extras import optional_module
from maxent.sweeps.cells import Cell
from maxent.sweeps.work import Outcome

PATIENCE = 20
"""Seconds in which a scheduler must answer."""

Work = Callable[..., Outcome]
"""`work` of a sweep: takes a cell, and `stop`, a further reason to stop."""


class LostWorkersError(MaxEntError):
    """Processes died, and the cells that they worked on were cut."""


def outcomes(
    work: Work, cells: Sequence[Cell], jobs: int | None, cluster: Any
) -> Iterator[Outcome]:
    """What comes of each cell, as they end, in any order.

    Raises LostWorkersError where a process of this machine or of Ray died, after which the rest can
    be begun again (Dask begins it again itself); MaxEntError where a cluster fails.  The other
    arguments are those of `sweep`.
    """
    if cluster is None and (jobs == 1 or len(cells) == 1):
        yield from map(work, cells)
        return
    joblib = optional_module("joblib", "several processes at once need")
    with _engine(joblib, cluster, jobs, len(cells)) as (engine, died):
        try:
            if cluster is None:
                work = partial(_while_the_parent_lives, work, os.getpid())
            yield from joblib.Parallel(**engine)(joblib.delayed(work)(cell) for cell in cells)
        except died as error:
            raise LostWorkersError(
                f"a process died with its cell (for want of memory?): {_first_line(error)}"
            ) from error
        except Exception as error:
            raise MaxEntError(
                f"the workers were lost ({type(error).__name__}: {_first_line(error)}); what is "
                "finished stays, and the same call goes on"
            ) from error


def _while_the_parent_lives(work: Work, parent: int, cell: Cell) -> Outcome:
    """Work on a cell in a child; where its parent was killed, save and end.  (For one process at a
    time, as on one core, joblib works in the parent itself.)"""

    def orphaned() -> bool:
        return parent not in (os.getpid(), os.getppid())

    outcome = work(cell, stop=orphaned)
    if orphaned():
        os._exit(1)  # joblib would wait five minutes for more work
    return outcome


def require_cluster(cluster: Any) -> None:
    """ConfigError for a text that names no cluster; nothing is looked for yet."""
    if isinstance(cluster, str) and not (cluster == "ray" or cluster.startswith(("dask:", "ray:"))):
        raise _no_cluster(cluster)


def _no_cluster(cluster: Any) -> ConfigError:
    return ConfigError(
        f"cluster = {quoted(cluster)}; give dask:ADDRESS (dask:tcp://10.0.0.1:8786, say), a "
        "distributed.Client, ray, or ray:ADDRESS"
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


@contextmanager
def _engine(
    joblib: Any, cluster: Any, jobs: int | None, cells: int
) -> Iterator[tuple[dict[str, Any], type[Exception] | tuple[()]]]:
    """An engine, as joblib's `Parallel` is told of it, and how it says that a process died."""
    as_they_end = {"batch_size": 1, "pre_dispatch": "all", "return_as": "generator_unordered"}
    died: type[Exception] | tuple[()] = ()
    with ExitStack() as after:
        if cluster is None:
            jobs = min(jobs or joblib.cpu_count(), cells)
            told, died = {"backend": "loky", "inner_max_num_threads": 1}, BrokenProcessPool
        elif isinstance(cluster, str) and cluster.startswith("ray"):
            ray = optional_module("ray", "a Ray cluster needs")
            optional_module("ray.util.joblib", "a Ray cluster needs").register_ray()
            if not ray.is_initialized():
                _start_ray(ray, cluster.partition(":")[2] or None)
                after.callback(ray.shutdown)
            told, died = {"backend": "ray"}, ray.exceptions.RayActorError
            as_they_end["return_as"] = "list"  # Ray's pool gives nothing before the last
        else:
            told = {"backend": "dask", "client": _dask_client(cluster, after)}
        after.enter_context(joblib.parallel_config(**told))
        yield as_they_end | {"n_jobs": -1 if jobs is None else jobs}, died


def _start_ray(ray: Any, address: str | None) -> None:
    """Ray on this machine, or the cluster at an address."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    try:
        if port.isdigit():  # Ray itself waits for minutes where nobody answers
            socket.create_connection((host, int(port)), PATIENCE).close()
        ray.init(address, log_to_driver=False)
    except Exception as error:  # Ray raises this class itself
        where = "on this machine" if address is None else f"at {address!r}"
        raise ConfigError(
            f"Ray cannot be reached {where} ({_first_line(error)}); start it with ray start --head"
        ) from error


def _dask_client(cluster: Any, after: ExitStack) -> Any:
    """A client of a Dask cluster that is given as one, or by its address."""
    distributed = optional_module("distributed", "a Dask cluster needs")
    if isinstance(cluster, distributed.Client):
        return cluster
    if not isinstance(cluster, str):
        raise _no_cluster(cluster)
    address = cluster.removeprefix("dask:")
    try:
        return after.enter_context(distributed.Client(address, timeout=PATIENCE))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at {address!r} ({error}); start one with dask scheduler"
        ) from error
