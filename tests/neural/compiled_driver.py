"""Updates compiled, in a process of its own: the checks of shapes that tests run under cannot be.

`python tests/neural/compiled_driver.py BACKEND NAME ...` prints, as JSON, for each case how far a
compiled and an uncompiled state are apart after ten updates, relative to the largest number.
"""

import copy
import json
import math
import sys
from typing import Any

import torch
from gymnasium import spaces

from maxent.neural.algorithms import ALGORITHMS, fresh_state
from maxent.neural.parts.networks import named_tensors
from maxent.neural.parts.replay import Batch, Replay
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training import products
from maxent.neural.training.compiled import CompiledUpdate

SEEN = spaces.Box(-1.0, 1.0, (3,))
BOX, CHOICES = Spaces(SEEN, spaces.Box(-1.0, 1.0, (2,))), Spaces(SEEN, spaces.Discrete(4))
ENDLESS = Spaces(SEEN, spaces.Box(-math.inf, math.inf, (2,)))
FEW: dict[str, Any] = {"particles": 5, "value_particles": 6}
WIDE: dict[str, Any] = {"hidden": (256, 256), "batch_size": 256}  # large products: by oneDNN
CASES: dict[str, tuple[str, Spaces, dict[str, Any]]] = {
    "sac": ("sac", BOX, {"final_rate_share": 0.1}),
    "sac, unbounded": ("sac", ENDLESS, {"temperature": 0.3, "critics": 1}),
    "sac, mixture": ("sac", BOX, {"policy": "mixture", "components": 3}),
    "sac, wide": ("sac", BOX, WIDE),
    "sql, wide": ("sql", BOX, FEW | WIDE),
    "sac, five critics": (
        *("sac", BOX),
        {"critics": 5, "smallest_of": 2, "critic_network": "layer_norm"},
    ),
    "sac_v1": ("sac_v1", BOX, {"critic_network": "residual"}),
    "sac_discrete": ("sac_discrete", CHOICES, {}),
    "sac_discrete, masked": ("sac_discrete", CHOICES, {}),
    "sql": ("sql", BOX, FEW),
    "sql, network": (
        "sql",
        BOX,
        FEW | {"policy": "sampler", "proposal": "network", "kernel": "inverse-multiquadric"},
    ),
    "sql, uniform": ("sql", BOX, FEW | {"proposal": "uniform", "form": "original"}),
    "sql, resampled": ("sql", BOX, FEW | {"policy": "resampled", "proposal": "uniform"}),
    "sql_discrete": ("sql_discrete", CHOICES, {"final_rate_share": 0.1}),
    "sql_discrete, masked": ("sql_discrete", CHOICES, {"target_interval": 3}),
}


def replay_of(found: Spaces, masked: bool) -> Replay:
    """A buffer with transitions, some of which terminated."""
    replay = Replay(found, 100, masked=masked)
    source = torch.Generator().manual_seed(5)
    normal = [torch.randn(100, 3, generator=source) for _ in range(2)]
    action = torch.rand(100, found.action_size, generator=source) * 2.0 - 1.0
    if found.discrete:
        action = torch.randint(4, (100,), generator=source)
    masks = [torch.rand(100, 4, generator=source) < 0.7 for _ in range(2 * masked)]
    for mask in masks:
        mask[:, 0] = True
    discount = 0.9 * (torch.rand(100, generator=source) < 0.7)
    replay.add(Batch(normal[0], action, normal[0].sum(1), normal[1], discount, *masks))
    return replay


def distance(name: str, backend: str) -> float:
    """How far apart ten updates of a case leave both, and what they log."""
    algorithm, found, settings = CASES[name]
    module = ALGORITHMS[algorithm]
    small: dict[str, Any] = {"hidden": (32, 32), "batch_size": 32}
    config = module.Config(**(small | settings))
    source = torch.Generator().manual_seed(1)
    state = fresh_state(module, found, config, source)
    other = copy.deepcopy(state)
    replay = replay_of(found, "masked" in name)
    compiled = CompiledUpdate(module, config, torch.device("cpu"), backend)
    for count in range(1, 11):
        moment, follow = config.at(count / 10), config.follows(count)
        batch = replay.sample(config.batch_size, source)
        noise = module.draw(config.batch_size, source, config, found)
        plain = module.update(state, batch, noise, moment, found, follow)
        fused = compiled(other, batch, noise, moment, found, follow)
        assert list(plain) == list(fused)
    one, two = (
        [*named_tensors(each), *named_tensors(said)]
        for each, said in ((state, plain), (other, fused))
    )
    return max(apart(a, b) for (_, a), (_, b) in zip(one, two, strict=True))


def apart(one: torch.Tensor, two: torch.Tensor) -> float:
    """The largest difference, relative to the largest number where that is above 1."""
    one, two = one.detach().double(), two.detach().double()
    return float((one - two).abs().max() / one.abs().max().clamp(min=1.0))


if __name__ == "__main__":
    torch.set_num_threads(1)
    products._pays = torch.backends.mkldnn.is_available  # type: ignore[assignment]  # any maker
    backend, *names = sys.argv[1:]
    print(json.dumps({name: distance(name, backend) for name in names or CASES}))
