r"""The temperature at which leaving and staying are worth the same (BALANCE).

Every transition from a non-terminal state pays c, and g more if it ends in a terminal state; every
non-terminal state has n available actions.  With V = g / gamma in every non-terminal state each
action is worth c + g, whatever the transitions: so at

    alpha_c = (g / gamma - g - c) / log n

the uniform policy is soft-optimal.  In general, with delta = (alpha - alpha_c) log n and N_pi(s)
the discounted time that pi takes from s to a terminal state,

    V*(s) - g / gamma = max_pi { delta N_pi(s) - alpha E sum_t gamma^t KL(pi(.|s_t) || uniform) }.

Below alpha_c a soft-optimal agent arrives sooner than the uniform one, from every state; above it,
later: it is paid more for staying alive than for arriving.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp

ACCURACY = 1e-9
"""To how much of the largest reward each reward must be c + g P(terminal | s, a)."""


class ExitPay(NamedTuple):
    """What a problem of BALANCE pays: each step, on arrival, and how many actions a state has."""

    step: float
    arrival: float
    n_actions: int


def balance_temperature(mdp: MDP) -> float:
    """alpha_c: the temperature at which the uniform policy is soft-optimal (BALANCE).

    Below it the soft-optimal policy reaches a terminal state sooner than the uniform policy does,
    from every state and in discounted time; above it, later.  It does not depend on the
    transitions: slip, wind and walls do not move it.

    mdp : each transition pays c, and g more on arrival in a terminal state; equally many actions
        are available in all non-terminal states, at least two; the discount lies in (0, 1].

    Returns alpha_c = (g / gamma - g - c) / log n, in units of reward.

    Raises ConfigError where the problem is not of this kind, saying where, or where alpha_c would
    not be positive (then every temperature keeps the agent away from its goal).

    >>> import maxent
    >>> mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    >>> alpha = maxent.balance_temperature(mdp)
    >>> round(alpha, 6)
    0.06682
    >>> solution = maxent.solve(mdp, alpha)
    >>> bool(abs(solution.v[~mdp.terminal] - 1 / 0.95).max() < 1e-8)
    True
    >>> bool(abs(solution.policy - 0.25).max() < 1e-7)
    True
    """
    pay = exit_pay(mdp)
    if pay.n_actions == 1:
        raise ConfigError("every state has one action only: no policy is sooner than another")
    discount = mdp.discount
    worth = pay.arrival * (1.0 - discount) / discount - pay.step
    if not worth > 0.0:
        raise ConfigError(
            f"a step pays {pay.step!r} and arriving {pay.arrival!r} more: at discount {discount!r} "
            "staying is worth at least as much at every temperature; there is no balance"
        )
    return worth / math.log(pay.n_actions)


def exit_pay(mdp: MDP) -> ExitPay:
    """c, g and n of a problem of BALANCE; ConfigError with the first hypothesis that fails."""
    nonterminal = ~require_mdp(mdp).terminal
    if mdp.discount == 0.0:
        raise ConfigError("discount = 0: only the first step counts; there is no balance")
    counts = mdp.action_mask.sum(axis=1)[nonterminal]
    if len(counts) == 0 or (counts != counts[0]).any():
        raise ConfigError(
            f"states have from {counts.min(initial=0)} to {counts.max(initial=0)} available "
            "actions; a balance needs the same number in every non-terminal state"
        )
    used = mdp.action_mask & nonterminal[:, None]
    arrival = mdp.expect(mdp.terminal.astype(float))
    ends, rewards = arrival[used], mdp.reward[used]
    first, last = int(np.argmin(ends)), int(np.argmax(ends))
    spread = float(ends[last] - ends[first])
    if spread <= ACCURACY:
        raise ConfigError(
            f"every action ends with the same probability, {float(ends[last]):.6g}: no policy is "
            "sooner than another; a balance needs a terminal state that some actions reach"
        )
    g = float((rewards[last] - rewards[first]) / spread)
    c = float(rewards[first] - g * ends[first])
    wrong = used & (np.abs(mdp.reward - c - g * arrival) > ACCURACY * np.abs(rewards).max())
    if wrong.any():
        state, action = (int(i) for i in np.argwhere(wrong)[0])
        raise ConfigError(
            f"action {action} in state {state} pays {float(mdp.reward[state, action]):.6g}; a "
            f"balance needs one pay a step and one on arrival, here {c:.6g} and {g:.6g} more, so "
            f"{c + g * arrival[state, action]:.6g}"
        )
    return ExitPay(c, g, int(counts[0]))
