"""Agents made by hand, whose q and policy are known: networks without hidden layers.

With the one-hot state as input such a network is a table.
"""

from types import ModuleType
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

import maxent
from maxent.neural.algorithms import sac, sac_discrete, sac_v1, sql, sql_discrete
from maxent.neural.diagnostics import Diagnosis
from maxent.neural.diagnostics.findings import Finding
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.agent import Agent

ALPHA, GAMMA = 0.5, 0.9
ROUNDING = 3e-6
MODULES: dict[str, ModuleType] = {
    "sac": sac,
    "sac_v1": sac_v1,
    "sac_discrete": sac_discrete,
    "sql": sql,
    "sql_discrete": sql_discrete,
}


def agent_of(
    algorithm: str, found: Spaces, temperature: float = ALPHA, **weights: tuple[Any, Any]
) -> Agent:
    """An agent without hidden layers, all zeros but for the given weights: name=(weight, bias).

    The second of two Q's is the given one plus a half.
    """
    module = MODULES[algorithm]
    config = module.Config(temperature=temperature, discount=GAMMA, hidden=())
    state = module.init(found, config, torch.Generator().manual_seed(0))
    for name, network in state.items():
        for key, tensor in network.items():
            if key in ("weight0", "bias0"):
                given = weights.get(name, (0.0, 0.0))[key == "bias0"]
                tensor.copy_(torch.as_tensor(given).expand_as(tensor))
    if len(state["critic"]["bias0"]) == 2:  # of two Q's the smaller counts
        state["critic"]["bias0"][1] += 0.5
    return Agent(algorithm=algorithm, config=config, spaces=found, state=state, steps=1)


def table_agent(mdp: maxent.MDP, q: np.ndarray, log_policy: np.ndarray | None = None) -> Agent:
    """An agent whose q, and policy if it has one of its own, are tables."""
    found = Spaces(spaces.Discrete(mdp.n_states), spaces.Discrete(mdp.n_actions))
    if log_policy is None:
        return agent_of("sql_discrete", found, critic=(q, 0.0))
    return agent_of("sac_discrete", found, critic=(q, 0.0), actor=(log_policy, 0.0))


def by_statement(diagnosis: Diagnosis) -> dict[tuple[str, str], Finding]:
    return {
        (finding.key, finding.statement.split(":")[0]): finding for finding in diagnosis.findings
    }
