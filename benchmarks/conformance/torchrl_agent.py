"""torchrl's soft actor-critic loss as `maxent.testing.check_agent` takes any agent.

.venv-torchrl/bin/python benchmarks/conformance/run.py torchrl_agent

torchrl has parts, not an agent: they are put together as in its own example of soft actor-critic,
`sota-implementations/sac`: TanhNormal with the sides of the box, SACLoss, SoftUpdate, a collector.
"""

from __future__ import annotations

import warnings
from importlib.metadata import version

import numpy as np
import torch
from tensordict import TensorDict
from tensordict.nn import InteractionType, TensorDictModule
from tensordict.nn.distributions import NormalParamExtractor
from torchrl.collectors import Collector
from torchrl.data import LazyTensorStorage, TensorDictReplayBuffer
from torchrl.envs import DoubleToFloat, GymWrapper, TransformedEnv
from torchrl.modules import MLP, ProbabilisticActor, TanhNormal, ValueOperator
from torchrl.objectives import SACLoss, SoftUpdate

VERSIONS = {name: version(name) for name in ("torchrl", "tensordict", "gymnasium", "torch")}
LAYERS = {"num_cells": [32, 32], "activation_class": torch.nn.ReLU}
FRAMES = 10
"""Steps that are collected at once; as many updates follow."""


class Adapter:
    """Small networks, quick rates; the critics' loss is the squared error, as in the example."""

    name = f"torchrl {VERSIONS['torchrl']} SACLoss"
    loss_function = "l2"

    def train(self, make_env, *, steps, temperature, target_entropy, discount, seed):
        """As the loop of the example."""
        torch.manual_seed(seed)
        env = make_env()
        self.space = env.action_space
        if not np.isfinite(self.space.low).all():
            raise NotImplementedError("TanhNormal is for a box with sides")
        observed, m = env.observation_space.shape[0], self.space.shape[0]
        self.low, self.high = torch.as_tensor(self.space.low), torch.as_tensor(self.space.high)
        wrapped = TransformedEnv(GymWrapper(env), DoubleToFloat())
        wrapped.set_seed(seed)
        net = torch.nn.Sequential(
            MLP(in_features=observed, out_features=2 * m, **LAYERS),
            NormalParamExtractor(scale_mapping="biased_softplus_1.0", scale_lb=1e-4),
        )
        self.actor = ProbabilisticActor(
            spec=wrapped.action_spec,
            module=TensorDictModule(net, ["observation"], ["loc", "scale"]),
            in_keys=["loc", "scale"],
            distribution_class=TanhNormal,
            distribution_kwargs={"low": self.low, "high": self.high, "tanh_loc": False},
            default_interaction_type=InteractionType.RANDOM,
            return_log_prob=False,
        )
        critic = MLP(in_features=observed + m, out_features=1, **LAYERS)
        self.critic = ValueOperator(critic, in_keys=["action", "observation"])
        self.loss = SACLoss(
            self.actor,
            self.critic,
            num_qvalue_nets=2,
            loss_function=self.loss_function,
            alpha_init=1.0 if temperature is None else temperature,
            fixed_alpha=temperature is not None,
            target_entropy=0.0 if target_entropy is None else target_entropy,
        )
        self.loss.make_value_estimator(gamma=discount)
        follow = SoftUpdate(self.loss, tau=0.02)
        learnt = [p for p in self.loss.parameters() if p.requires_grad]
        optimiser = torch.optim.Adam(learnt, lr=3e-3)
        replay = TensorDictReplayBuffer(storage=LazyTensorStorage(4 * steps), batch_size=64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            collector = Collector(
                wrapped,
                self.actor,
                frames_per_batch=FRAMES,
                total_frames=steps,
                init_random_frames=200,
            )
        seen = 0
        for data in collector:
            replay.extend(data.reshape(-1))
            seen += data.numel()
            for _ in range(FRAMES if seen >= 200 else 0):
                losses = self.loss(replay.sample())
                total = losses["loss_actor"] + losses["loss_qvalue"] + losses["loss_alpha"]
                optimiser.zero_grad()
                total.backward()
                optimiser.step()
                follow.step()
        collector.shutdown()

    @torch.no_grad()
    def sample(self, observations, n, seed):
        """From the actor's distribution."""
        torch.manual_seed(seed)
        actions = self._law(observations, n).sample()
        return actions.reshape(len(observations), n, -1).numpy()

    @torch.no_grad()
    def log_density(self, observations, actions):
        """By the actor's distribution, which is on the box."""
        count, n = actions.shape[:2]
        flat = torch.as_tensor(actions.reshape(count * n, -1), dtype=torch.float32)
        return self._law(observations, n).log_prob(flat).reshape(count, n).numpy()

    @torch.no_grad()
    def q(self, observations, actions):
        """The smaller of both critics."""
        count, n = actions.shape[:2]
        flat = torch.as_tensor(actions.reshape(count * n, -1), dtype=torch.float32)
        found = []
        for member in range(2):
            data = TensorDict(
                {"observation": self._each(observations, n), "action": flat}, [count * n]
            )
            with self.loss.qvalue_network_params[member].to_module(self.loss.qvalue_network):
                found.append(self.loss.qvalue_network(data)["state_action_value"])
        return torch.cat(found, 1).amin(1).reshape(count, n).numpy()

    def _law(self, observations, n):
        data = TensorDict({"observation": self._each(observations, n)}, [len(observations) * n])
        with self.loss.actor_network_params.to_module(self.loss.actor_network):
            return self.loss.actor_network.get_dist(data)

    def _each(self, observations, n):
        return torch.as_tensor(np.repeat(observations, n, axis=0), dtype=torch.float32)


class DefaultLoss(Adapter):
    """The same with SACLoss's default, smooth L1."""

    name = f"torchrl {VERSIONS['torchrl']} SACLoss, its default smooth_l1"
    loss_function = "smooth_l1"
