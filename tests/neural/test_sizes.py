"""What does not fit in memory is refused before it is made: networks, minibatches, spaces."""

import resource

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple

import maxent
from maxent.cli import main
from maxent.neural.algorithms import ALGORITHMS
from maxent.neural.parts.networks import named_tensors
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training import learner
from maxent.neural.training.plan import Plan
from maxent.neural.training.sizes import _networks, require_room
from maxent.support import devices, memory
from maxent.tabular.solvers.engines.tensors import TensorKernel

LARGE = 10**9


class Spacious(gymnasium.Env):
    """Spaces of any size, and an environment that is never stepped."""

    def __init__(self, observation, action):
        self.observation_space, self.action_space = observation, action

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if isinstance(self.observation_space, Box):
            return np.zeros(self.observation_space.shape, np.float32), {}
        return self.observation_space.sample(), {}


BOX, FEW = Box(-1.0, 1.0, (3,)), Discrete(3)


@pytest.fixture(autouse=True)
def memory_is_watched():
    """The most memory of this process does not rise by a quarter of a GiB in a test."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # in KiB


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"hidden": (10**6, 10**6)},
            r"networks with the layers 4 -> 1000000 -> 1000000 -> 1 .*hidden",
        ),
        ({"hidden": (10**12,)}, r"GiB.*\(hidden\)"),
        ({"hidden": (10**200, 10**200)}, r"over 10\^18 GiB.*smaller layers"),
        ({"batch_size": LARGE}, r"an update, [148]+0{9} rows .*lower batch_size"),
        ({"replay_capacity": 10**12}, r"replay buffer of 1000000000000 transitions .*replay_cap"),
        ({"num_envs": LARGE}, "lower num_envs"),
    ],
)
@pytest.mark.parametrize("algorithm", ["sac", "sac_v1", "sql"])
def test_settings_too_large(algorithm, settings, message):
    if algorithm == "sac_v1":
        settings = settings | {"temperature": 0.2}
    with pytest.raises(maxent.MemoryBudgetError, match=message):
        maxent.train(algorithm, "Pendulum-v1", steps=10, **settings)


@pytest.mark.parametrize("name", ["particles", "value_particles"])
def test_particles_too_many(name):
    with pytest.raises(maxent.MemoryBudgetError, match="value_particles, particles or the"):
        maxent.train("sql", "Pendulum-v1", steps=10, **{name: 10**8})


def test_settings_that_are_too_large_together_only(monkeypatch):
    settings = {"hidden": (4096, 4096), "replay_capacity": 20_000_000, "batch_size": 8}
    monkeypatch.setattr("maxent.support.memory._available_memory", lambda: int(2.4 * 2**30))
    with pytest.raises(maxent.MemoryBudgetError, match=r"networks with .* and what is beside it"):
        maxent.train("sac", "Pendulum-v1", steps=10, **settings)


@pytest.mark.parametrize("algorithm", ["sac", "sql"])
@pytest.mark.parametrize(
    "space",
    [
        Discrete(LARGE),
        MultiDiscrete([LARGE, LARGE]),
        Dict(one=Discrete(5), other=Tuple((Discrete(LARGE), FEW))),
        Discrete(2**62),
    ],
    ids=["discrete", "multi-discrete", "nested", "nearly 2^62"],
)
def test_observations_too_large_one_hot(algorithm, space):
    for action in (FEW, BOX):
        with pytest.raises(maxent.MemoryBudgetError, match=r"vectors of \d+ numbers.*one-hot"):
            maxent.train(algorithm, Spacious(space, action), steps=10)


@pytest.mark.parametrize("algorithm", ["sac", "sql"])
def test_actions_too_many(algorithm):
    with pytest.raises(maxent.MemoryBudgetError, match="actions 1000000000; Discrete ones"):
        maxent.train(algorithm, Spacious(BOX, Discrete(LARGE)), steps=10)


@pytest.mark.parametrize("space", [MultiBinary(LARGE), MultiDiscrete([2] * 10_000)])
def test_actions_of_too_many_parts_are_refused_at_once(space):
    with pytest.raises(maxent.ConfigError, match="neither Box nor Discrete; wrap"):
        maxent.train("sac", Spacious(BOX, space), steps=10)


def test_the_command_line_says_it(capsys):
    asked = ["train", "sac", "--env", "Pendulum-v1", "--steps", "10"]
    for setting in ("hidden=1000000,1000000", "batch_size=1000000000"):
        assert main([*asked, "--set", setting]) == 2
        told = capsys.readouterr()
        assert "GiB" in told.err and "Traceback" not in told.err and not told.out


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_need_of_networks_is_that_of_what_is_made(algorithm):
    """Between what is kept and that with gradients (and a policy, which sql_discrete has not)."""
    module = ALGORITHMS[algorithm]
    spaces = Spaces(BOX, FEW if algorithm.endswith("discrete") else BOX)
    config = module.Config(**{"hidden": (64, 64), "temperature": 0.2})
    state = module.init(spaces, config, torch.Generator())
    kept = sum(tensor.nbytes for _, tensor in named_tensors(state))
    needed, _, _ = _networks(spaces, config)
    assert 0.9 * kept < needed < 2.6 * kept


def test_an_agent_is_loaded_without_a_replay_buffer(tmp_path, monkeypatch):
    """Neither its memory nor its files are needed."""
    run = tmp_path / "run"
    monkeypatch.setattr("os.fsync", lambda handle: None)
    trained = maxent.train(
        "sql", "CartPole-v1", steps=40, hidden=(8,), batch_size=4, learning_starts=10, run=run
    )

    def refused(*given, **named):
        raise AssertionError("a replay buffer was made")

    monkeypatch.setattr(learner, "Replay", refused)
    for path in (run / "replay").iterdir():
        path.unlink()
    agent, seen = maxent.load_agent(run), [0.1, 0.2, 0.3, 0.4]
    assert agent.steps == 40 and agent.entropy(seen) == trained.entropy(seen)
    monkeypatch.undo()
    with pytest.raises(maxent.CorruptCheckpointError, match="rows"):
        maxent.resume(run, steps=50)
    plan = Plan(algorithm="sql", env="CartPole-v1", steps=1)
    settings = agent.config.to_dict() | {"replay_capacity": 10**12}
    learner.Learner(plan, "CartPole-v1", settings, remembers=False).close()


@pytest.fixture
def gpu(monkeypatch):
    """A CUDA device with 2 GiB free and 1 GiB of its own to be used again, on a full machine."""
    seen = {"mem_get_info": (2**31, 2**33), "memory_reserved": 3 * 2**30}
    for name, value in (seen | {"memory_allocated": 2 * 2**30}).items():
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    monkeypatch.setattr(memory, "_available_memory", lambda: 0)
    return torch.device("cuda:0")


def test_the_memory_that_counts_is_that_of_the_device(gpu):
    devices.require_memory_on(gpu, 3 * 2**30, "all of it", "ask for less")
    with pytest.raises(
        maxent.MemoryBudgetError, match=r"needs 3\.10 .* on cuda:0, .* 3\.00 GiB free"
    ):
        devices.require_memory_on("cuda:0", int(3.1 * 2**30), "too much", "ask for less")
    with pytest.raises(maxent.MemoryBudgetError, match="available to this process"):
        devices.require_memory_on("cpu", 2**30, "the machine's own", "ask for less")


def test_training_and_sweeps_on_a_gpu_need_its_memory_alone(gpu):
    spaces, config = Spaces(BOX, FEW), ALGORITHMS["sql_discrete"].Config()
    require_room(spaces, config, False, gpu)
    with pytest.raises(
        maxent.MemoryBudgetError, match=r"of \d+ transitions .*on cuda:0.*lower rep"
    ):
        require_room(spaces, config.__class__(replay_capacity=10**8), False, gpu)
    with pytest.raises(maxent.MemoryBudgetError, match="available to this process"):
        require_room(spaces, config, False, "cpu")
    kernel = TensorKernel(maxent.gridworld("S.G", discount=0.9), 0.1, None, "cpu")
    kernel.device = gpu
    kernel._require_memory(2**31)
    with pytest.raises(maxent.MemoryBudgetError, match=r"3 states .* on cuda:0.*device='cpu'"):
        kernel._require_memory(2**32)
