r"""Maximum-entropy inverse reinforcement learning: which reward makes these demonstrations optimal?

Known are the dynamics, the discount, the initial distribution and the temperature; the reward is
not.  With x_E the demonstrator's occupancy, the dual of matching occupancies at greatest causal
entropy is the convex problem

    minimise over r:   L(r) = J*_alpha(r) - <x_E, r>,      grad L = x_r - x_E      (SENSITIVITY)

where x_r is the occupancy of the soft-optimal policy pi_r.  For an occupancy that obeys the flow
equations of the MDP, L = -alpha sum_sa x_E log pi_r, so this is maximum likelihood.  The reward
is r = D w, linear in weights w, and with a regularisation lambda |w|^2 / 2 is added.

**What can be recovered.**  Adding gamma P Phi - Phi to a reward (Phi = 0 at terminal states)
changes no policy (SHAPE), so that r is determined only up to such a term, where the demonstrator
goes.  The space of these terms is the orthogonal complement of the flow: all gradients above are
orthogonal to it.  Hence a reward by state and action, found by descent from 0, is the one of least
norm, without any shaping; `remove_shaping` brings any other reward to the same form.

- `recovery.py`: `recover_reward`, the minimisation, by Newton's method.
- `dual.py`: L with its gradient and Hessian, both exact.
- `demonstrations.py`: from a policy, an occupancy or episodes to the occupancy to be matched.
- `episodes.py`: episodes in the forms that people have them, as one.
- `shaping.py`: the space of shaping terms, and projections off it.

Sources: Ziebart, Maas, Bagnell, Dey (2008); Ziebart (2010), thesis, for the causal form; Ng,
Harada, Russell (1999) for shaping.
"""

from maxent.tabular.inverse.demonstrations import empirical_occupancy
from maxent.tabular.inverse.recovery import RecoveredReward, recover_reward
from maxent.tabular.inverse.shaping import remove_shaping

__all__ = ["RecoveredReward", "empirical_occupancy", "recover_reward", "remove_shaping"]
