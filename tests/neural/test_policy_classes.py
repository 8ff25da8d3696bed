"""Classes of policies from end to end: the command line, known answers, LQR."""

import importlib.util

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch.distributions import Independent, Normal, TanhTransform, TransformedDistribution

import maxent
from maxent.cli import main
from maxent.continuous.lqr import coupled_masses, solve_lqr
from maxent.neural.algorithms import sac
from maxent.neural.diagnostics import on_linear_quadratic
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.agent import Agent

SMALL = {"hidden": (8,), "batch_size": 8, "learning_starts": 20}
SQL = {"value_particles": 4, "candidates": 8, "policy": "resampled"}
with_zuko = pytest.mark.skipif(importlib.util.find_spec("zuko") is None, reason="needs zuko")
CLASSES = [
    pytest.param("sac", {"policy": "mixture", "components": 3}, id="mixture"),
    pytest.param("sac", {"policy": "flow"}, id="flow", marks=with_zuko),
    pytest.param("sql", SQL | {"particles": 4}, id="resampled"),
    pytest.param("sql", SQL | {"proposal": "uniform"}, id="uniform"),
]


@pytest.mark.parametrize(("algorithm", "settings"), CLASSES)
def test_from_the_command_line_to_an_action(algorithm, settings, tmp_path, capsys):
    run = str(tmp_path / "run")
    asked = SMALL | settings | {"hidden": "8"}
    words = [word for name, value in asked.items() for word in ("--set", f"{name}={value}")]
    begin = ["train", algorithm, "--env", "Pendulum-v1", "--run", run, "--steps", "30"]
    assert main([*begin, *words]) == 0
    assert main(["resume", run, "--steps", "40"]) == 0
    assert main(["evaluate", run, "--episodes", "1"]) == 0
    assert main(["diagnose", run, "--episodes", "1"]) == 0
    assert "SAC-L1" in capsys.readouterr().out
    agent = maxent.load_agent(run)
    assert agent.steps == 40 and agent.config.policy == settings["policy"]
    action = agent.act(np.zeros(3, np.float32))
    assert action.shape == (1,) and abs(action[0]) <= 2.0
    best = agent.act(np.zeros(3, np.float32), deterministic=True)
    assert best.shape == (1,) and abs(best[0]) <= 2.0


def aside(seen):
    """A squashed Gaussian around tanh of the first number seen."""
    normal = Normal(seen[:, :1].tanh(), 0.4)
    return Independent(TransformedDistribution(normal, [TanhTransform()]), 1)


@pytest.mark.parametrize(("algorithm", "settings"), CLASSES)
def test_on_a_known_answer(algorithm, settings):
    """It is trained there and held against it: KL is positive, and so is what the policy loses."""
    known = maxent.known_answer("Pendulum-v1", aside, lambda s: s[:, 0], 0.2, discount=0.9)
    agent = maxent.train(
        algorithm, lambda: known.env, steps=40, seed=1, temperature=0.2, discount=0.9,
        **SMALL | settings,
    )  # fmt: skip
    found = maxent.diagnose(agent, known, episodes=1)
    lines = {finding.statement: finding.error for finding in found.findings}
    assert np.isfinite(list(lines.values())).all()
    assert lines["policy: KL(pi || pi*)"] > 0.1
    assert lines["alpha E sum gamma^t KL(pi || pi*)"] > 0.0
    assert lines["entropy of the policy"] != lines["entropy of pi* there"]


ENDLESS = Spaces(spaces.Box(-np.inf, np.inf, (4,)), spaces.Box(-np.inf, np.inf, (2,)))


def agent_with(config):
    state = sac.init(ENDLESS, config, torch.Generator().manual_seed(0))
    return Agent(algorithm="sac", config=config, spaces=ENDLESS, state=state, steps=1)


def test_a_mixture_that_is_the_best_gaussian_is_held_against_lqr_alike():
    """Three components on one another: gain, covariance, KL and entropy of one of them."""
    problem, m, parts = coupled_masses(), 2, 3
    exact = solve_lqr(problem, 0.2)
    deviations = 0.5 * np.log(np.diag(exact.covariance))
    found = {}
    for policy in ("gaussian", "mixture"):
        agent = agent_with(sac.Config(policy=policy, components=parts, hidden=(), temperature=0.2))
        actor = agent.state["actor"]
        for tensor in actor.values():
            tensor.zero_()
        copies = parts if policy == "mixture" else 1
        first = copies if policy == "mixture" else 0
        means = torch.as_tensor(np.tile(-exact.gain.T, (1, copies)), dtype=torch.float32)
        actor["weight0"][:, first : first + copies * m] = means
        actor["bias0"][0, first + copies * m :] = torch.as_tensor(np.tile(deviations, copies))
        findings = maxent.diagnose(agent, problem).findings
        found[policy] = {each.statement: each.error for each in findings}
    mixture, gaussian = found["mixture"], found["gaussian"]
    assert mixture["gain K, fitted"] < 3e-3 and mixture["mean action = -K s"] < 0.02
    diagonal = gaussian.pop("... of which a diagonal policy cannot do")
    assert mixture.keys() == gaussian.keys()
    assert mixture["covariance = alpha/2 M^-1"] == pytest.approx(diagonal, rel=0.2)
    logs = np.log(np.diag(exact.covariance)).sum() - np.linalg.slogdet(exact.covariance)[1]
    trace = np.trace(np.linalg.solve(exact.covariance, np.diag(np.diag(exact.covariance))))
    divergence = 0.5 * (trace - m - logs)  # of two Gaussians of one mean
    own = 0.5 * np.log(2.0 * np.pi * np.e * np.diag(exact.covariance)).sum()
    for each in (gaussian, mixture):
        assert each["policy: KL(pi || pi*)"] == pytest.approx(divergence, abs=0.005)
        assert each["entropy of the policy"] == pytest.approx(own, abs=0.01)
        assert each["entropy of pi*"] == pytest.approx(exact.entropy)
        assert each["V, in deviations of V"] == pytest.approx(
            gaussian["V, in deviations of V"], rel=0.01
        )


@with_zuko
def test_a_flow_is_held_against_lqr():
    agent = agent_with(sac.Config(policy="flow", hidden=(8,), temperature=0.2))
    found = on_linear_quadratic(agent, coupled_masses(), states=100)
    lines = {each.statement: each.error for each in found.findings}
    assert lines["policy: KL(pi || pi*)"] > 1.0  # it has learnt nothing
    assert np.isfinite(list(lines.values())).all()
