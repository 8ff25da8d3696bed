"""`train` and `resume`: from the name of an algorithm and of an environment to an agent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from inspect import signature
from pathlib import Path
from typing import Any, Literal

from gymnasium.vector import VectorEnv

import maxent
from maxent.environments.space_checks import require_no_bytes
from maxent.errors import ConfigError, CorruptCheckpointError, MaxEntError
from maxent.neural.algorithms import with_defaults
from maxent.neural.algorithms.settings import require_used
from maxent.neural.runs import Checkpoint, Run, checkpoints, require_same_configuration
from maxent.neural.runs.durable import alike, sha256_of
from maxent.neural.runs.log import read_log
from maxent.neural.runs.record import read_record
from maxent.neural.training.advice import (
    warn_of_no_learning,
    warn_of_what_is_forgotten,
)
from maxent.neural.training.agent import Agent
from maxent.neural.training.agent_file import read_agent
from maxent.neural.training.learner import Learner
from maxent.neural.training.plan import (
    Env,
    Plan,
    by_new_names,
    environment_of_run,
    require_recorded,
    torch_threads,
)
from maxent.support.arguments import quoted
from maxent.support.files import require_path
from maxent.support.other_words import takes_our_words
from maxent.support.plain import plain


@takes_our_words
def train(
    algorithm: str,
    env: Env,
    *,
    steps: int,
    seed: int = 0,
    run: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    num_envs: int = 1,
    vectorization: Literal["sync", "async"] = "sync",
    log_every: int = 1_000,
    evaluate_every: int = 0,
    evaluation_episodes: int = 10,
    checkpoint_every: int = 0,
    device: str = "cpu",
    threads: int | None = None,
    compile: bool | Literal["auto"] = "auto",
    env_settings: Mapping[str, Any] | None = None,
    start: Agent | None = None,
    progress: bool | None = None,
    announce: Callable[[str], None] | None = None,
    report: Callable[[dict[str, Any]], object] | None = None,
    **settings: Any,
) -> Agent:
    """Train an agent.

    algorithm : "sac", "sac_v1", "sql", or "sac_discrete", "sql_discrete" (which "sac" and "sql"
        become where actions are discrete).
    env : a Gymnasium id, an environment, a vector environment, or a function that makes one.
    steps : environment steps in all, over all environments (which step together: a few may come on
        top).
    seed : of everything.
    run : a folder for checkpoints, settings and logs; None: nothing is written.
    overwrite : replace a run that is in this folder already.
    num_envs : environments that step together (of an id or a function).
    vectorization : "sync": in turn; "async": each in a process of its own, at the same time, which
        pays where a step takes a millisecond or more.  The numbers are the same.
    log_every : environment steps between rows of `agent.history`; 0: never.
    evaluate_every : environment steps between evaluations of the deterministic policy in an
        environment of its own (`evaluation_episodes` episodes); 0: never.
    checkpoint_every : environment steps between checkpoints; a run has one at its end in any case.
    device : where the networks are, "cpu" or "cuda".
    threads : of PyTorch while this trains; None: as many as it is set to.  Small networks are
        fastest with 1.  A run records it: the last bits depend on it.
    compile : whether updates run as one compiled graph: 1.5 to 6 times faster once made, which
        takes half a minute of a core the first time; values agree within rounding.  "auto": where
        that pays, by the number of updates alone.  A run records what was done.  Without a C++
        compiler a warning says so, and updates run uncompiled.
    env_settings : keyword arguments of `gymnasium.make`, with an id; plain values.
    start : an agent of the same algorithm and sizes, whose networks are begun with, and its
        temperature where that is tuned (`initial_temperature` is then refused); replay and moments
        begin anew, random actions too.
    progress : True: a bar in a terminal or a notebook, elsewhere a line of text now and then; None:
        such lines alone, in a terminal or a notebook, where it takes longer; False: nothing.  With
        `report` there are no lines.
    announce : called with a line of text for each checkpoint saved.
    report : called with each row of `agent.history` as it is logged; training stops, as by Ctrl-C,
        where it returns False.  What it raises goes on, with the agent as its attribute `agent`
        and after a checkpoint.
    settings : of the algorithm's `Config`, such as temperature=0.2 or batch_size=128.

    What the others leave without effect is refused: components=8 without policy="mixture",
    evaluation_episodes without evaluate_every, checkpoint_every or overwrite without run.

    Returns the trained `Agent`.  Ctrl-C, and SIGTERM, stop after the running step, with a
    checkpoint if there is a run; `stopped_by` of the agent says so (a signal's number, or
    "report").

    Raises ConfigError for a wrong setting; OutputExistsError where `run` exists (`overwrite=True`
    replaces it); TrainingDivergedError where a loss, reward or observation is not finite;
    CheckpointWriteError where a checkpoint cannot be written (a full disk, say).

    >>> import maxent
    >>> agent = maxent.train(
    ...     "sql", "maxent/Gridworld-v0", env_settings={"map": "S.G", "discount": 0.9}, steps=40,
    ...     temperature=0.2, hidden=(8,), batch_size=4, learning_starts=10, log_every=20,
    ... )
    >>> agent
    Agent(sql_discrete, maxent/Gridworld-v0, 40 steps, temperature 0.2)
    >>> [row["step"] for row in agent.history]
    [20, 40]
    """
    given = locals()
    _require_effect(given, "checkpoint_every", "run")
    _require_effect(given, "overwrite", "run")
    plan, settings = _planned(given)
    with ExitStack() as after:
        after.enter_context(torch_threads(plan.threads))
        learner = _asked_for(plan, env, settings)
        after.callback(learner.close)
        if start is not None:
            learner.begin_with(start)
        learner.compile(progress)
        if run is None:
            warn_of_no_learning(learner.config, steps)
            return learner.train(progress=progress, announce=announce, report=report)
        with Run.create(run, learner.record(), overwrite=overwrite) as opened:
            warn_of_no_learning(learner.config, steps)
            warn_of_what_is_forgotten(learner.environments.forgotten())
            return learner.train(opened, progress=progress, announce=announce, report=report)


def configuration_of(algorithm: str, env: Env, **arguments: Any) -> dict[str, Any]:
    """What a run of `train` with these arguments would record as its configuration.

    Raises what `train` would raise of them; nothing is begun.
    """
    bound = signature(train).bind(algorithm, env, **arguments)
    bound.apply_defaults()
    plan, settings = _planned(bound.arguments)
    learner = _asked_for(plan, env, settings)
    try:
        return _comparable(learner.record())
    finally:
        learner.close()


def recorded_configuration(run: str | os.PathLike[str]) -> dict[str, Any]:
    """The configuration of a run, with today's default for what it does not name."""
    saved = require_recorded(run, read_record(require_path(run, "run"))["config"])
    settings = with_defaults(saved["algorithm"], saved["settings"])
    return _comparable(asdict(Plan.of(saved)) | {"settings": settings})


def _comparable(configuration: dict[str, Any]) -> dict[str, Any]:
    """A configuration as JSON holds it, with one form of each number."""
    found: dict[str, Any] = alike(plain(configuration, "the configuration"))
    return found


@takes_our_words
def resume(
    run: str | os.PathLike[str],
    *,
    steps: int | None = None,
    env: Env | None = None,
    trust: bool = False,
    progress: bool | None = None,
    announce: Callable[[str], None] | None = None,
    report: Callable[[dict[str, Any]], object] | None = None,
    **settings: Any,
) -> Agent:
    """Go on with a run from its latest checkpoint to its last step.

    run : the folder that `train(..., run=)` wrote.
    steps : a new last step; None: the one it was last going to.
    env : in place of the run's environment; needed where that has no id.
    trust : whether a module may be imported that the run names (an environment MODULE:ID).
    progress, announce, report : as of `train`.
    settings : checked against those the run was made with; none is needed.

    Returns the trained `Agent`.

    Raises ResumeMismatchError, field by field, for settings other than the run's;
    CorruptCheckpointError where a file is not what was written; RunLockedError where another
    process has the run; ConfigError where there is no run, or where its environment has no id, or
    one that would import a module, and none is given; TrainingDivergedError and
    CheckpointWriteError as `train`.

    >>> import maxent, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     agent = maxent.train(
    ...         "sql", "maxent/Gridworld-v0", env_settings={"map": "S.G", "discount": 0.9},
    ...         steps=20, hidden=(8,), batch_size=4, learning_starts=10, run=f"{folder}/run",
    ...     )
    ...     longer = maxent.resume(f"{folder}/run", steps=30)
    >>> agent.steps, longer.steps
    (20, 30)
    """
    with ExitStack() as after:
        opened = after.enter_context(Run.open(run))
        saved = require_recorded(run, opened.config)
        after.enter_context(torch_threads(saved.get("threads")))
        env = environment_of_run(run, saved, env, trust)
        saved = saved | {"settings": with_defaults(saved["algorithm"], saved["settings"])}
        require_same_configuration(saved, saved | {"settings": saved["settings"] | settings})
        checkpoint = opened.resume()
        if checkpoint is None and saved.get("start") is not None:
            raise ConfigError(
                f"run {os.fspath(run)!r} was begun with an agent's networks ({saved['start']}) and "
                "was cut before it had saved them; train it again with start= and overwrite=True"
            )
        if steps is None:
            steps = saved["steps"] if checkpoint is None else checkpoint.values.get("steps")
        learner = _learner(saved | {"steps": steps}, env)
        try:
            if checkpoint is not None:
                with _taken_up(checkpoint):
                    learner.restore(checkpoint, read_log(run))
            learner.compile(progress)
            return learner.train(opened, progress=progress, announce=announce, report=report)
        finally:
            learner.close()


@takes_our_words
def load_agent(
    run: str | os.PathLike[str],
    *,
    step: int | None = None,
    env: Env | None = None,
    trust: bool = False,
) -> Agent:
    """The agent of a run's latest checkpoint, or of the one at `step`; the run may be going on.

    run : the folder that `train(..., run=)` wrote, or the file that `agent.save` did.
    step : environment steps of the checkpoint; None: the latest one.
    env : in place of the run's environment; needed where that has no id.
    trust : whether a module may be imported that the run names (an environment MODULE:ID).

    Returns an `Agent` whose networks are on the CPU.  The replay buffer is not read: neither its
    memory nor its files are needed.

    Raises ConfigError where there is no run or no such checkpoint, or where the environment has no
    id, or one that would import a module, and none is given; CorruptCheckpointError where a file
    that an agent needs is not what was written.

    >>> import maxent, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     trained = maxent.train(
    ...         "sql", "maxent/Gridworld-v0", env_settings={"map": "S.G", "discount": 0.9},
    ...         steps=20, hidden=(8,), batch_size=4, learning_starts=10, run=f"{folder}/run",
    ...     )
    ...     agent = maxent.load_agent(f"{folder}/run")
    >>> agent.steps, int(agent.act(0, deterministic=True) - trained.act(0, deterministic=True))
    (20, 0)
    """
    folder = require_path(run, "run")
    if folder.is_file():
        return _agent_of_file(folder, step, env, trust)
    config = require_recorded(run, read_record(folder)["config"])
    checkpoint = checkpoints.load(folder, step, replay=False)
    env = environment_of_run(run, config, env, trust)
    changed = {"device": "cpu", "num_envs": 1, "vectorization": "sync", "compile": False}
    learner = _learner(config | changed, env, remembers=False)
    try:
        with _taken_up(checkpoint):
            learner.restore_networks(checkpoint, read_log(run))
        return learner.agent()
    finally:
        learner.close()


def _agent_of_file(path: Path, step: int | None, env: Env | None, trust: bool) -> Agent:
    """As `load_agent`."""
    if step is not None:
        raise ConfigError(f"step = {step}: {str(path)!r} is an agent's file, and holds one step")
    parts = read_agent(path)
    if env is not None:
        parts |= {"env": env if isinstance(env, str) else None, "env_settings": {}}
    elif parts["env"] is not None:
        environment_of_run(path, parts, None, trust)
    return Agent(**parts)


def _planned(arguments: Mapping[str, Any]) -> tuple[Plan, dict[str, Any]]:
    """The plan and the algorithm's settings that the arguments of `train` stand for, checked."""
    _require_effect(arguments, "evaluation_episodes", "evaluate_every")
    settings = by_new_names(arguments["settings"])
    env, num_envs = arguments["env"], arguments["num_envs"]
    env_settings, start = arguments["env_settings"], arguments["start"]
    if "num_envs" in settings:  # given by its old name
        if num_envs != 1:
            raise ConfigError("copies is the old name of num_envs; give num_envs alone")
        num_envs = settings.pop("num_envs")
    if isinstance(env, VectorEnv):
        if num_envs not in (1, env.num_envs):
            raise ConfigError(
                f"num_envs = {num_envs} of a vector environment, which has {env.num_envs}; leave "
                "it out"
            )
        num_envs = env.num_envs
    if not isinstance(env_settings, Mapping | None):
        raise ConfigError(f"env_settings = {quoted(env_settings)}; give a dictionary")
    if not isinstance(start, Agent | None):
        raise ConfigError(f"start = {quoted(start)} is no agent; give one, as load_agent(RUN) does")
    if start is not None and "initial_temperature" in settings:
        raise ConfigError(
            f"initial_temperature = {settings['initial_temperature']!r} would do nothing: the "
            "temperature goes on from that of start; leave it out"
        )
    as_recorded = {
        "env": env if isinstance(env, str) else None,
        "num_envs": num_envs,
        "env_settings": dict(env_settings or {}),
        "start": None if start is None else _description(start),
    }
    return Plan.of({**arguments} | as_recorded), settings


def _require_effect(arguments: Mapping[str, Any], name: str, needs: str) -> None:
    """ConfigError for an argument of `train` that would do nothing without another."""
    value = arguments[name]
    usual = signature(train).parameters[name].default
    if type(value) is type(usual) and value != usual and not arguments[needs]:
        raise ConfigError(
            f"{name} = {quoted(value)} would do nothing: it is used only with {needs}; give that, "
            f"or leave {name} out"
        )


def _asked_for(plan: Plan, env: Env, settings: dict[str, Any]) -> Learner:
    """A learner of what a caller asks for, whose every setting must do something."""
    learner = Learner(plan, env, settings)
    with ExitStack() as undo:
        undo.callback(learner.close)
        require_used(learner.config, settings)
        require_no_bytes(learner.spaces.observation)
        undo.pop_all()
    return learner


def _description(start: Agent) -> str:
    """An agent that another begins with; the same words for all seeds of one configuration."""
    made = plain([start.start, start.env_settings, start.config.to_dict()], "start")
    made = sha256_of(alike(made))[:8]
    return f"{start.env or 'unnamed environment'}, {start.steps} steps, settings {made}"


@contextmanager
def _taken_up(checkpoint: Checkpoint) -> Iterator[None]:
    """CorruptCheckpointError where what a checkpoint holds is not what this version saves."""
    try:
        yield
    except MaxEntError:
        raise
    except Exception as error:  # whatever is in its place
        raise CorruptCheckpointError(
            f"checkpoint {checkpoints.name_of(checkpoint.step)} is whole, but does not hold what "
            f"maxent {maxent.__version__} saves ({type(error).__name__}: {error}); it was made by "
            "another version, or changed"
        ) from error


def _learner(config: dict[str, Any], env: Env, *, remembers: bool = True) -> Learner:
    if env != config["env"]:  # what the run's own was made with says nothing of another
        config = config | {"env": env if isinstance(env, str) else None, "env_settings": {}}
    return Learner(Plan.of(config), env, config["settings"], remembers=remembers)
