r"""The entropy-reward trade-off: what entropy costs in return, exactly.

As the temperature alpha goes from 0 to infinity, the discounted entropy and the return of the
soft-optimal policy run along the Pareto front of the two, from the initial distribution:
d J*/d alpha = entropy (ENVELOPE), d return/d entropy = -alpha (SLOPE), entropy rises and return
falls (MONOTONE).

**One family of problems.**  With V_0 the hard optimum and A_0 = r + gamma P V_0 - V_0 <= 0 its
advantages, write V*_alpha = V_0 + alpha W.  By SHAPE and SCALE, W is the soft-optimal value at
temperature 1 of the MDP *without rewards* whose log prior is A_0 / alpha, and its policy is
pi*_alpha:

    W(s) = log sum_a exp( A_0(s,a)/alpha + log prior(a|s) + gamma E[W(s')] ).

Both ends are members: as alpha -> 0 the log prior becomes the mask of the hard-optimal actions
(LIMIT-ZERO: the hard-optimal policy of greatest entropy), as alpha -> infinity it becomes the
MDP's own (LIMIT-INFINITY).  So no temperature is too small or too large, and W, between 0 and
log A/(1-gamma), is a good start for the temperature next to it.

**Ties.**  Actions count as tied, A_0 = 0, where they are within 2 gamma e of the best, e the
certified error of V_0 (a few units of rounding over 1-gamma).  At temperatures that are not large
beside that width (`Tradeoff.tie_width`) gaps below it are invisible in float64.
"""

from maxent.tabular.tradeoff.curve import Tradeoff, tradeoff
from maxent.tabular.tradeoff.dual import temperature_for_entropy
from maxent.tabular.tradeoff.reaching import goal_states, reaching_probability

__all__ = ["Tradeoff", "goal_states", "reaching_probability", "temperature_for_entropy", "tradeoff"]
