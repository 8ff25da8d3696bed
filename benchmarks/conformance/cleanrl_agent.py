"""CleanRL's `sac_continuous_action.py`, run as it is, as `maxent.testing.check_agent` takes it.

CLEANRL=FOLDER .venv-cleanrl/bin/python benchmarks/conformance/run.py cleanrl_agent

FOLDER is a checkout of CleanRL.  The file is run as a program is, with its own options and nothing
changed in it; its networks are what it leaves behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import runpy
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import gymnasium
import numpy as np
import torch

FOLDER = Path(os.environ.get("CLEANRL", "cleanrl")).resolve()
PROGRAM = FOLDER / "cleanrl" / "sac_continuous_action.py"
VERSIONS = {
    "file with SHA-256": hashlib.sha256(PROGRAM.read_bytes()).hexdigest()[:12],
    **{name: version(name) for name in ("gymnasium", "torch")},
}
ID = "conformance/Case-v0"


class Adapter:
    """Its defaults, but for rates that learn in a few thousand steps, and smaller batches."""

    name = "CleanRL sac_continuous_action.py"

    def train(self, make_env, *, steps, temperature, target_entropy, discount, seed):
        """Run the file; it takes no target entropy: its own is -dim(A)."""
        box = make_env().action_space
        if target_entropy is not None and target_entropy != -box.shape[0]:
            raise NotImplementedError("its target entropy is -dim(A), without an option")
        gymnasium.register(ID, entry_point=lambda **_: make_env(), disable_env_checker=True)
        options = {
            "env-id": ID,
            "seed": seed,
            "total-timesteps": steps,
            "learning-starts": 200,
            "batch-size": 64,
            "gamma": discount,
            "tau": 0.02,
            "policy-lr": 3e-3,
            "q-lr": 3e-3,
            "buffer-size": 4 * steps,
        }
        words = [f"--{name}={value}" for name, value in options.items()] + ["--no-cuda"]
        words += (
            ["--autotune"] if temperature is None else ["--no-autotune", f"--alpha={temperature}"]
        )
        before, path, here = sys.argv, list(sys.path), Path.cwd()
        with tempfile.TemporaryDirectory() as scratch:
            try:
                sys.argv, sys.path[:0] = [str(PROGRAM), *words], [str(FOLDER)]
                os.chdir(scratch)  # it writes its log into the folder that it runs in
                with contextlib.redirect_stdout(io.StringIO()):
                    left = runpy.run_path(str(PROGRAM), run_name="__main__")
            finally:
                sys.argv, sys.path[:] = before, path
                os.chdir(here)
                del gymnasium.registry[ID]
        self.actor, self.critics = left["actor"], (left["qf1"], left["qf2"])

    @torch.no_grad()
    def sample(self, observations, n, seed):
        """By its `get_action`."""
        torch.manual_seed(seed)
        actions, _, _ = self.actor.get_action(self._each(observations, n))
        return actions.reshape(len(observations), n, -1).numpy()

    @torch.no_grad()
    def log_density(self, observations, actions):
        """Its own formula, of given actions."""
        count, n = actions.shape[:2]
        mean, log_std = self.actor(self._each(observations, n))
        scale, bias = self.actor.action_scale, self.actor.action_bias
        y = (torch.as_tensor(actions.reshape(count * n, -1), dtype=torch.float32) - bias) / scale
        law = torch.distributions.Normal(mean, log_std.exp())
        log = law.log_prob(torch.atanh(y.clamp(-1 + 1e-6, 1 - 1e-6)))
        log = log - torch.log(scale * (1 - y.pow(2)) + 1e-6)
        return log.sum(1).reshape(count, n).numpy()

    @torch.no_grad()
    def q(self, observations, actions):
        """The smaller of both critics."""
        count, n = actions.shape[:2]
        taken = torch.as_tensor(actions.reshape(count * n, -1), dtype=torch.float32)
        seen = self._each(observations, n)
        both = torch.cat([critic(seen, taken) for critic in self.critics], dim=1)
        return both.amin(1).reshape(count, n).numpy()

    def _each(self, observations, n):
        return torch.as_tensor(np.repeat(observations, n, axis=0), dtype=torch.float32)
