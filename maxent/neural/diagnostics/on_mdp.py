"""A trained agent on an MDP: every equality exact."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from maxent.continuous.discretise import cell_volumes
from maxent.mdp import MDP
from maxent.neural.diagnostics.findings import Diagnosis, Finding
from maxent.neural.diagnostics.tables import evaluated_on, nodes, observations_of, q_on
from maxent.neural.diagnostics.trained import TrainedAgent, as_doubles, policy_in, state_values_in
from maxent.neural.parts.policies import Flow, Resampled, SamplingNetwork
from maxent.solution import Solution
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.occupancy import occupancy
from maxent.tabular.solvers import soft_policy_evaluation, solve


def on_mdp(agent: TrainedAgent, mdp: MDP) -> Diagnosis:
    """Everything exact, on an MDP whose observations (and actions) the agent knows.

    Of a sampling network, or of a resampled policy, the policy is the frequencies of its actions,
    which are 0 where it was not seen to go, so that KL(pi* || pi) would mean nothing and is left
    out.
    """
    alpha = agent.temperature
    mdp = in_policy_units(agent, mdp)
    nonterminal = ~mdp.terminal
    best = solve(mdp, alpha)
    own = evaluated_on(agent, mdp)
    q, log_policy = q_on_cells(agent, mdp), own.log_policy
    boltzmann = operators.boltzmann_policy(q, alpha, mdp.log_mask)
    soft = operators.soft_value(q, alpha, mdp.log_mask)
    visits, best_visits = occupancy(mdp, own.policy), occupancy(mdp, best.policy)
    start = mdp.initial_distribution
    available = mdp.action_mask & nonterminal[:, None]

    def values(key: str, statement: str, error: ndarray) -> Finding:
        mean = np.sqrt(
            _mean(np.where(available, visits, 0.0), np.where(available, error, 0.0) ** 2)
        )
        return Finding(key, statement, float(mean), float(np.abs(error[available]).max()), "reward")

    def nats(key: str, statement: str, divergence: ndarray, weight: ndarray) -> Finding:
        weight = np.where(nonterminal, weight.sum(axis=1), 0.0)
        mean = _mean(weight, np.where(nonterminal, divergence, 0.0))
        return Finding(key, statement, mean, float(divergence[nonterminal].max()), "nats")

    loss = float(start @ (best.v - own.v))
    gap = np.where(nonterminal, operators.kl_divergence(log_policy, best.log_policy), 0.0)
    identity = alpha * float((visits.sum(axis=1) * gap).sum())
    uniform = np.where(mdp.action_mask, 1.0 / mdp.action_mask.sum(axis=1, keepdims=True), 0.0)
    base = float(start @ soft_policy_evaluation(mdp, uniform, alpha).v)
    optimum = float(start @ best.v)
    improved = (optimum - loss - base) / (optimum - base) if optimum > base else 1.0
    findings = [
        values("SAC-L1", "q = Q^pi, the exact value of its policy", q - own.q),
        values(
            "SQL-T2",
            "q = r + gamma E[soft value of q]",
            q - operators.backup(mdp, np.where(nonterminal, soft, 0.0)),
        ),
        values("SQL-T1", "q = Q*", q - best.q),
        nats(
            "SAC-L2",
            "pi = Boltzmann(q): KL(pi || .)",
            operators.kl_divergence(log_policy, boltzmann),
            visits,
        ),
        nats(
            "SAC-T1",
            "pi = pi*: KL(pi* || pi)",
            operators.kl_divergence(best.log_policy, log_policy),
            best_visits,
        ),
        Finding(
            "SUBOPT", "J(pi*) - J(pi)", loss, float((best.v - own.v)[nonterminal].max()), "reward"
        ),
        Finding(
            "SUBOPT",
            "... = alpha sum_s d^pi(s) KL(pi || pi*)",
            abs(loss - identity),
            np.nan,
            "reward",
        ),
        Finding("SUBOPT", "(J - J_uniform) / (J* - J_uniform)", improved, np.nan, ""),
        *_cost_of_error(mdp, alpha, q, boltzmann, best),
    ]
    seen = observations_of(agent, mdp)
    learned_v = state_values_in(agent, seen)
    if learned_v is not None:
        v = as_doubles(learned_v)
        claimed = operators.policy_value(q, log_policy, alpha, mdp.log_mask)
        error = np.broadcast_to((v - claimed)[:, None], q.shape)
        findings.insert(1, values("SAC-L1", "v = E_pi[q - alpha log pi]", error))
    how = "exact"
    if isinstance(policy_in(agent, seen), SamplingNetwork | Resampled | Flow):
        how = "policy from samples"
        findings = [finding for finding in findings if finding.key != "SAC-T1"]
    title = f"{agent} on {mdp}, {how}; optimum J* = {optimum:.6g}"
    return Diagnosis(title, tuple(findings))


def _cost_of_error(
    mdp: MDP, alpha: float, q: ndarray, log_boltzmann: ndarray, best: Solution
) -> tuple[Finding, Finding]:
    """What the Boltzmann policy of q loses, and the most that an error of this size can cost."""
    nonterminal = ~mdp.terminal
    judged = soft_policy_evaluation(mdp, np.exp(log_boltzmann), alpha)
    lost = best.v - judged.v
    d = float(np.abs(q - best.q)[mdp.action_mask & nonterminal[:, None]].max())
    most = min(2.0 * d, d * (d / (2.0 * alpha)) if alpha > 0.0 else np.inf) / (1.0 - mdp.discount)
    return (
        Finding(
            "APPROX",
            "V* - V of Boltzmann(q)",
            float(mdp.initial_distribution @ lost),
            float(lost[nonterminal].max()),
            "reward",
        ),
        Finding(
            "APPROX",
            "... at most min(2 d, d^2 / (2 alpha)) / (1-gamma), d = max |q - Q*|",
            most,
            most,
            "reward",
        ),
    )


def q_on_cells(agent: TrainedAgent, mdp: MDP) -> Float[ndarray, "S A"]:
    """The agent's q as the MDP's own is: that of a cell has alpha log(cell volume) added, in the
    units of the agent's policy, as the MDP's reward has; discrete actions have no cells."""
    q = q_on(agent, mdp)
    if agent.spaces.discrete:
        return q
    q += agent.temperature * np.log(cell_volumes(nodes(agent, mdp)))
    return q


def in_policy_units(agent: TrainedAgent, mdp: MDP) -> MDP:
    """The MDP with densities in the units of the agent's policy, [-1, 1]^m for a box.

    A grid's rewards have alpha log(cell volume) in the environment's units; the agent knows
    nothing of those.  The difference, alpha times the logarithm of the box's half volume, is the
    same in every state, and matters where episodes end.
    """
    if mdp.actions is None or not agent.spaces.bounded:
        return mdp
    box = agent.spaces.action
    sides = box.high.astype(float) - box.low.astype(float)  # type: ignore[attr-defined]
    half = float(np.log(0.5 * sides).sum())
    if half == 0.0:
        return mdp
    nonterminal = ~mdp.terminal[:, None]
    return mdp.replace(reward=mdp.reward - np.where(nonterminal, agent.temperature * half, 0.0))


def _mean(weight: ndarray, x: ndarray) -> float:
    """The weighted mean; nan where no weight is anywhere, as where every start is an end."""
    total = weight.sum()
    return float((weight * x).sum() / total) if total > 0.0 else np.nan
