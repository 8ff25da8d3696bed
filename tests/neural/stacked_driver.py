"""Updates of stacked agents, in a process of its own: the checks of shapes cannot be compiled.

`python tests/neural/stacked_driver.py BACKEND NAME ...` prints, as JSON, for each case of
`compiled_driver.py` how far agents in one graph are from the same agents alone after four updates.
"""

import json
import sys
import warnings

import torch
from compiled_driver import CASES, apart, replay_of

from maxent.neural.algorithms import ALGORITHMS, fresh_state
from maxent.neural.parts.networks import named_tensors
from maxent.neural.training.stacked import stack, stacked_update, unstack

AGENTS, UPDATES = 3, 4


def distance(name: str, backend: str) -> float:
    """How far apart updates of a case leave the agents, and what they log."""
    algorithm, found, settings = CASES[name]
    module = ALGORITHMS[algorithm]
    config = module.Config(**(settings | {"hidden": (16, 16), "batch_size": 16}))
    sources = [torch.Generator().manual_seed(seed) for seed in range(AGENTS)]
    alone = [fresh_state(module, found, config, source) for source in sources]
    together = stack(alone)
    update = stacked_update(module, config, found, backend)
    replay = replay_of(found, "masked" in name)
    for count in range(1, UPDATES + 1):
        follow = config.follows(count)
        batches = [replay.sample(config.batch_size, source) for source in sources]
        noise = [module.draw(config.batch_size, source, config, found) for source in sources]
        said = [module.update(*each, config, found, follow) for each in zip(alone, batches, noise)]
        told = update(together, stack(batches), stack(noise), follow)
    pairs = [
        (one, two)
        for index, state in enumerate(alone)
        for (_, one), (_, two) in zip(
            [*named_tensors(state), *named_tensors(said[index])],
            [*named_tensors(unstack(together, index)), *named_tensors(unstack(told, index))],
            strict=True,
        )
    ]
    assert all(one.dtype == two.dtype for one, two in pairs)
    return float(max(apart(one, two) for one, two in pairs))


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("error")  # an operation that vmap would take one by one
    warnings.simplefilter("ignore", DeprecationWarning)  # the compiler's, of parts of PyTorch
    backend, *names = sys.argv[1:]
    print(json.dumps({name: distance(name, backend) for name in names or CASES}))
