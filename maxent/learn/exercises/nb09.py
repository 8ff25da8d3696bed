"""Notebook 9: from tables to samples to networks."""

from __future__ import annotations

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "09-from-tables-to-networks"


def update(q, sample, step, discount, temperature):
    s, a, r, after, terminated = sample
    following = 0.0 if terminated else maxent.soft_value(q, temperature)[after]
    new = q.copy()
    new[s, a] += step * (r + discount * following - q[s, a])
    return new


def shortfall(mdp, policy, best, temperature):
    visits = maxent.occupancy(mdp, policy).sum(axis=1)
    divergence = (policy * (np.log(policy) - np.log(best))).sum(axis=1)
    return temperature * (visits * divergence)[~mdp.terminal].sum()


def _samples(seed):
    """One sample in the middle of an episode, and one at its end."""
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(4, 3))
    return [(q, (1, 2, 0.5, 3, False), 0.3, 0.9, 0.2), (q, (0, 1, -1.0, 2, True), 0.1, 0.8, 0.5)]


def _agents(seed):
    rng = np.random.default_rng(seed)
    for text, temperature in (("S..\n.#.\n..G", 0.1), ("S.G\n..#", 0.3)):
        mdp = maxent.gridworld(text, slip=0.1, discount=0.9)
        best = maxent.solve(mdp, temperature).policy
        yield mdp, rng.dirichlet(np.ones(4), mdp.n_states), best, temperature


def wrong_update(q, sample, step, gamma, alpha):
    s, a, r, after, ended = sample
    soft, log_policy = maxent.soft_value(q, alpha), maxent.boltzmann_policy(q, alpha)

    def updated(following, gamma=gamma, old=q[s, a], step=step):
        new = q.copy()
        new[s, a] += step * (r + gamma * following - old)
        return new

    def unless_ended(value):
        return updated(0.0 if ended else value)

    return {
        "bootstrapped after the end": updated(soft[after]),
        "hard maximum": unless_ended(q[after].max()),
        "entropy left out": unless_ended((np.exp(log_policy) * q)[after].sum()),
        "replaced instead of moved": updated(0.0 if ended else soft[after], step=1.0),
        "old value not taken off": updated(0.0 if ended else soft[after], old=0.0),
        "gamma left out": updated(0.0 if ended else soft[after], gamma=1.0),
        "value of the state that is left": unless_ended(soft[s]),
        "terminated upside down": updated(soft[after] if ended else 0.0),
        "alpha left out in front": unless_ended(soft[after] / alpha),
        "mellowmax": unless_ended(maxent.mellowmax(q, alpha)[after]),
        "a number instead of a table": update(q, sample, step, gamma, alpha)[s, a],
    }


def wrong_shortfall(m, pi, best, alpha):
    visits, nonterminal = maxent.occupancy(m, pi).sum(axis=1), ~m.terminal
    logs, right = np.log(pi) - np.log(best), shortfall(m, pi, best, alpha)
    kl, reverse = (pi * logs).sum(axis=1), (best * -logs).sum(axis=1)
    best_visits = maxent.occupancy(m, best).sum(axis=1)
    return {
        "KL the other way round": alpha * (visits * reverse)[nonterminal].sum(),
        "visits of the best policy": alpha * (best_visits * kl)[nonterminal].sum(),
        "alpha left out": (visits * kl)[nonterminal].sum(),
        "every state alike": alpha * kl[nonterminal].sum(),
        "terminal states included": alpha * (visits * kl).sum(),
        "not weighted by the policy": alpha * (visits * logs.sum(axis=1))[nonterminal].sum(),
        "a mean over states": right / nonterminal.sum(),
        "visits as probabilities": right / maxent.occupancy(m, pi).sum(),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("9.1", update, given=_samples, axes=("state", "action"), wrong=wrong_update),
    Exercise("9.2", shortfall, given=_agents, wrong=wrong_shortfall),
)
