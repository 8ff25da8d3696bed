"""How far off the soft value is with each proposal, where the sampling network is right.

    python benchmarks/learning/proposal_widths.py        # writes results/proposal-widths.json

A density of one or four Gaussians of deviation 0.1 before tanh, tops at +-0.7 in each dimension,
times Z = 1.  64 candidates a state: uniform ones; or 16 uniform ones and 48 around samples of the
density itself, with widths by Scott's rule on the deviation of all samples, and as `proposals` has
them.  The number is E[log mean w], 0 for a perfect proposal: the bias of V / alpha, at most 0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor
from torch.distributions import Normal

import maxent
from maxent.neural.parts import proposals
from maxent.neural.parts.gaussian import log_tanh_jacobian

OUT = Path(__file__).parent / "results" / "proposal-widths.json"
DIMENSIONS, HILLS, CANDIDATES, STATES, DEVIATION = (1, 2, 3, 6, 17), (1, 4), 64, 1_000, 0.1
Centres = Callable[[Tensor], tuple[Tensor, Tensor]]


def scott(u: Tensor) -> tuple[Tensor, Tensor]:
    """Samples drawn together, and the widths, by the deviation of all of them."""
    count, m = u.shape[-2:]
    h = count ** (-1.0 / (m + 4))
    spread, mean = torch.std_mean(u, -2, correction=0, keepdim=True)
    return mean + math.sqrt(1.0 - h * h) * (u - mean), (h * spread).expand_as(u)


def bias(m: int, hills: int, near: int, centres: Centres) -> float:
    """E[log mean w] over states, each with samples of its own."""
    generator = torch.Generator().manual_seed(m)
    tops = 0.7 * torch.randn((hills, m), generator=generator).sign().double()
    tops[:, 0] = torch.linspace(-0.9, 0.9, hills) if hills > 1 else 0.0  # four even where m = 1
    chosen = torch.randint(hills, (STATES, near), generator=generator)
    noise = torch.randn((2, STATES, near, m), generator=generator).double()
    uniform = torch.rand((STATES, CANDIDATES - near, m), generator=generator).double()
    with mock.patch.object(proposals, "_centres", centres):
        _, drawn = proposals.around(tops[chosen] + DEVIATION * noise[0], uniform, noise[1])
    u = torch.atanh(drawn.action.clamp(-1.0 + 1e-15, 1.0 - 1e-15))
    of_each = Normal(tops, DEVIATION).log_prob(u[..., None, :]).sum(-1)
    log_density = of_each.logsumexp(-1) - math.log(hills) - log_tanh_jacobian(u).sum(-1)
    means = (log_density - drawn.log_density).logsumexp(-1) - math.log(CANDIDATES)
    return float(means.mean())


def main() -> None:
    """Measure, write and print."""
    torch.set_num_threads(1)
    ways = {"uniform": (0, scott), "Scott": (48, scott), "nearest": (48, proposals._centres)}
    found = {
        f"m {m}, hills {hills}": {
            name: round(bias(m, hills, *way), 3) for name, way in ways.items()
        }
        for m in DIMENSIONS
        for hills in HILLS
    }
    record = {"bias": found, "candidates": CANDIDATES, "states": STATES, "deviation": DEVIATION}
    record["versions"] = {"maxent": maxent.__version__, "torch": torch.__version__}
    OUT.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
