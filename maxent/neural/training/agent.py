"""What training gives: something that acts, can be evaluated, and held against the theory."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import gymnasium
import numpy as np
import torch
from numpy import ndarray

from maxent.environments.guard import Guarded, close, name_of
from maxent.environments.making import Environment, make_environment
from maxent.environments.masks import mask_in, require_mask
from maxent.errors import ConfigError
from maxent.mdp import MDP, validation
from maxent.neural.algorithms import ALGORITHMS, choose_actions, temperature
from maxent.neural.algorithms.settings import Settings
from maxent.neural.diagnostics.tables import evaluated_on
from maxent.neural.diagnostics.trained import LONGEST
from maxent.neural.parts.normalise import as_seen
from maxent.neural.parts.policies import Categorical
from maxent.neural.parts.single import action_of_one
from maxent.neural.parts.spaces import Spaces
from maxent.neural.parts.torch_settings import in_our_settings
from maxent.neural.training.agent_file import write_agent
from maxent.neural.training.entropies import entropies
from maxent.neural.training.evaluation import Evaluation
from maxent.neural.training.snapshots import Layers, frozen_statistics
from maxent.neural.training.video import recorded
from maxent.solution import Solution
from maxent.support.arguments import quoted, require_count, require_flag, require_kind
from maxent.support.memory import require_memory
from maxent.support.other_words import AnswersOurWords
from maxent.support.shapes import Bool, Float


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Agent(AnswersOurWords):
    """A trained agent, as `train`, `resume`, `load_agent` and `compose_agents` give it.

    algorithm : the name of its algorithm.
    config : its settings.
    spaces : the environment's.
    state : all parameters, by network.
    steps : environment steps lived through.
    env, env_settings : the id of its environment, or None, and what it was made with.
    start : of what agent its networks were begun with, in words; None: fresh.
    history : the rows logged in training.
    statistics : what the wrappers of its environment remember, such as the running mean of
        `NormalizeObservation`; an evaluation uses them, and leaves them as they are.
    stopped_by : the number of the signal that stopped training, "report" where that did, or None.

    >>> import maxent
    >>> agent = maxent.train(
    ...     "sql", "maxent/Gridworld-v0", env_settings={"map": "S.G", "discount": 0.9}, steps=20,
    ...     hidden=(8,), batch_size=4, learning_starts=10,
    ... )
    >>> agent.algorithm, agent.steps, agent.temperature
    ('sql_discrete', 20, 0.1)
    >>> int(agent.act(0, agent.generator(seed=1))) in range(4)
    True
    >>> agent.evaluate(episodes=2, longest=30).returns.shape
    (2,)
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> exact = agent.on(mdp)  # the exact value of its policy
    >>> bool((exact.v <= maxent.solve(mdp, agent.temperature).upper).all())
    True
    """

    algorithm: str
    config: Settings
    spaces: Spaces
    state: dict[str, Any]
    steps: int
    env: str | None = None
    env_settings: dict[str, Any] = field(default_factory=dict)
    start: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    stopped_by: int | str | None = None
    statistics: Layers | None = None

    def __repr__(self) -> str:
        return (
            f"Agent({self.algorithm}, {self.env or 'unnamed environment'}, {self.steps} steps, "
            f"temperature {self.temperature:.3g})"
        )

    @property
    def temperature(self) -> float:
        """alpha: the fixed one, or where tuning or cooling has brought it."""
        return float(temperature.of(self.state, self.config))

    @property
    def device(self) -> torch.device:
        """Where its parameters are."""
        device: torch.device = next(iter(self.state["critic"].values())).device
        return device

    def generator(self, seed: int) -> torch.Generator:
        """A source of noise on the agent's device."""
        if require_count("seed", seed, 0) >= 2**63:
            raise ConfigError(f"seed = {quoted(seed)} is too large; give one below 2^63")
        return torch.Generator(self.device).manual_seed(int(seed))

    def _noise(self, given: torch.Generator | None, same: bool = False) -> torch.Generator:
        """The source of noise that was given, else one that PyTorch's default one begins, or that
        is the `same` in every call."""
        if given is None:
            return self.generator(0 if same else int(torch.randint(2**62, ())))
        require_kind("generator", given, torch.Generator)
        return given

    @in_our_settings
    def act(
        self,
        observation: Any,
        generator: torch.Generator | None = None,
        *,
        deterministic: bool = False,
        action_mask: Any = None,
        seed: int | None = None,
    ) -> Any:
        """An action of the environment's action space for one of its observations.

        generator: the source of noise for a sequence of actions (`agent.generator(seed)`); None:
        PyTorch's default one.  seed: of this one action, instead of a generator.  deterministic:
        the policy's central (or likeliest) action; of a resampled policy the one of the largest Q
        among candidates, the same ones in every call where no generator and no seed is given.
        action_mask: (A,), 1 where a discrete action
        is available, as in `info["action_mask"]`; None: all are.  Raises ConfigError for an
        observation of other sizes, or another mask.

        >>> import maxent
        >>> agent = maxent.train("sql", "CartPole-v1", steps=40, learning_starts=20, hidden=(8,))
        >>> seen = [0.0, 0.0, 0.0, 0.0]
        >>> int(agent.act(seen, seed=3)) == int(agent.act(seen, seed=3))
        True
        >>> int(agent.act(seen, action_mask=[0, 1]))
        1
        """
        if seed is not None:
            if generator is not None:
                raise ConfigError(f"seed = {seed} beside a generator; give one of them")
            generator = self.generator(seed)
        flat = self.spaces.checked(observation)
        available = None if action_mask is None else self._mask(action_mask)
        deterministic = require_flag("deterministic", deterministic)
        generator = self._noise(generator, same=deterministic)
        action = action_of_one(self.state, flat, generator, self.spaces, deterministic, available)
        if action is None:
            among = None if available is None else available[None]
            action = self.actions(flat[None], generator, deterministic, available=among)[0]
        return self.spaces.to_environment(action)

    @in_our_settings
    def entropy(self, observation: Any, *, action_mask: Any = None) -> float:
        """The entropy of the policy for one observation, in nats.

        Exact where actions are discrete; of a Gaussian by closed form or quadrature, its density
        in [-1, 1]^m (of a box without sides, in its own units); of a resampled policy the
        middle of two estimates that hold it between them; of a sampling network the mean of 4,096
        samples' -log density, which is exact where the network is one-to-one.
        action_mask: as of `act`.

        >>> import maxent, math
        >>> agent = maxent.train("sql", "CartPole-v1", steps=40, learning_starts=20, hidden=(8,))
        >>> 0.0 < agent.entropy([0.0, 0.0, 0.0, 0.0]) <= math.log(2)
        True
        """
        flat = self.spaces.checked(observation)[None]
        seen = torch.as_tensor(flat, dtype=torch.float32, device=self.device)
        seen = as_seen(self.state, seen)
        with torch.no_grad():
            policy = ALGORITHMS[self.algorithm].policy(self.state, seen, self.spaces)
            if action_mask is not None:
                available = torch.as_tensor(self._mask(action_mask)[None], device=self.device)
                policy = cast(Categorical, policy).within(available)
            return float(entropies(policy, self.generator(0))[0])

    def _mask(self, action_mask: Any) -> ndarray:
        if not self.spaces.discrete:
            raise ConfigError(f"action_mask is for discrete actions, not {self.spaces.action}")
        return require_mask(action_mask, self.spaces.action_size)

    @in_our_settings
    def actions(
        self,
        observations: Float[ndarray, "n d"],
        generator: torch.Generator | None = None,
        deterministic: bool = False,
        *,
        available: Bool[ndarray, "n A"] | None = None,
    ) -> ndarray:
        """Actions in the policy's units for flattened observations (n, d): (n, m) or (n,).

        available: which discrete actions there are, booleans (n, A); None: all.
        """
        generator = self._noise(generator, same=deterministic)
        rows, size = observations, self.spaces.observation_size
        if not isinstance(rows, torch.Tensor):
            rows = validation.real_array("observations", rows, copy=False)
        if rows.ndim != 2 or rows.shape[1] != size:
            raise ConfigError(f"observations has shape {tuple(rows.shape)}; give (n, {size})")
        if available is not None:
            shape = (len(rows), self.spaces.action_size)
            available = validation.boolean_array("available", available, shape)
        seen = torch.as_tensor(rows, dtype=torch.float32, device=self.device)
        seen = as_seen(self.state, seen)
        with torch.no_grad():
            actions = choose_actions(
                ALGORITHMS[self.algorithm],
                self.state,
                seen,
                generator,
                self.spaces,
                deterministic,
                None if available is None else torch.as_tensor(available, device=self.device),
            )
            return actions.cpu().numpy()

    def evaluate(
        self,
        env: Environment | None = None,
        *,
        episodes: int = 10,
        seed: int = 0,
        deterministic: bool = True,
        longest: int = LONGEST,
        video: str | os.PathLike[str] | None = None,
    ) -> Evaluation:
        """Whole episodes of the agent; episode i starts with seed + i.

        env: None: an environment of the id it was trained on.  Same seed, same episodes.
        longest: steps after which an episode is stopped that neither the agent nor a time limit
        ends, as in a gridworld where a deterministic policy walks in a circle.
        video: a new folder for a video of each episode (gymnasium.wrappers.RecordVideo, which needs
        moviepy); an environment that is given must have been made with render_mode="rgb_array".
        """
        episodes, longest = require_count("episodes", episodes), require_count("longest", longest)
        require_memory(16 * episodes, f"evaluating {quoted(episodes)} episodes", "ask for fewer")
        generator = self.generator(seed)
        returns, lengths = np.zeros(episodes), np.zeros(episodes, dtype=int)
        unfinished = 0
        with ExitStack() as after:
            made = self._made(env, video is not None)
            if made is not env:
                after.callback(close, made)
            if made.action_space != self.spaces.action:
                raise ConfigError(
                    f"the environment's actions are {made.action_space}, the agent's "
                    f"{self.spaces.action}: it was trained on something else"
                )
            after.enter_context(frozen_statistics(made, self.statistics))
            if video is not None:
                made = after.enter_context(recorded(made, video))
            guarded = Guarded(made)
            for episode in range(episodes):
                observation, info = guarded.reset(seed=seed + episode)
                over = False
                while not over and lengths[episode] < longest:
                    mask = mask_in(info, self.spaces.action)
                    try:
                        action = self.act(
                            observation, generator, deterministic=deterministic, action_mask=mask
                        )
                    except ConfigError as error:
                        place = f"environment {name_of(made)}, step {guarded.steps}"
                        raise ConfigError(f"{place}: {error}") from error
                    observation, reward, ended, cut, info = guarded.step(action)
                    returns[episode] += reward
                    lengths[episode] += 1
                    over = ended or cut
                unfinished += not over
        return Evaluation(returns, lengths, unfinished)

    def _made(self, env: Environment | None, seen: bool) -> gymnasium.Env:
        """The environment of an evaluation; seen: one that can be drawn, where it is made here."""
        if isinstance(env, gymnasium.Env):
            return env
        drawn = {"render_mode": "rgb_array"} if seen else {}
        if isinstance(env, str):
            return make_environment(env, drawn)
        return self.environment(**drawn) if env is None else make_environment(env)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the agent into one file, NAME.safetensors, which `maxent.load_agent` reads: its
        networks, settings and spaces, without a replay buffer to go on from.  Gives the path.

        Raises OutputExistsError where the file exists; ConfigError for another ending, and for
        spaces of somebody's own.

        >>> import maxent, tempfile
        >>> agent = maxent.train("sql", "CartPole-v1", steps=40, learning_starts=20, hidden=(8,))
        >>> path = agent.save(tempfile.mkdtemp() + "/agent.safetensors")
        >>> again = maxent.load_agent(path)
        >>> again
        Agent(sql_discrete, CartPole-v1, 40 steps, temperature 0.1)
        """
        return write_agent(self, path, overwrite)

    def environment(self, **settings: Any) -> gymnasium.Env:
        """A new environment of the kind it was trained on, with further settings of
        `gymnasium.make`; ConfigError where that has no id."""
        if self.env is None:
            raise ConfigError(
                "the agent has no environment of its own (it was trained on one without an id, or "
                "composed of agents of different ones): give env"
            )
        return make_environment(self.env, self.env_settings | settings)

    def on(self, mdp: MDP) -> Solution:
        """The exact evaluation of the agent's policy on an MDP, at its temperature.

        The MDP says what the agent sees in each state (`mdp.observations`; else the state's
        number, as `MDPEnv` shows it) and, for continuous actions, what each action number stands
        for (`mdp.actions`).  What comes back is a `Solution` like any other: v and q are exact,
        with bounds, so that figures, trade-offs and checks of the exact half apply.
        """
        return evaluated_on(self, mdp)
