"""An environment of somebody's own, looked at before a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maxent.environments.checking import EnvironmentReport
    from maxent.environments.making import Environment


def check_environment(env: Environment) -> EnvironmentReport:
    """What an environment does wrong, in words: by Gymnasium's own checker, and for training.

    env : an environment, a Gymnasium id, or a function that makes one.  It is stepped, 400 times,
        and reset.

    Beyond Gymnasium's checker: spaces that an algorithm here can handle, observations and rewards
    of the shapes and kinds that the space says, finite; the same episode again for the same seed
    and actions; action masks with every reset and step; episodes that end.

    Returns a report with `passed`, `faults`, `advice` and `raise_if_failed()`.

    >>> from maxent import testing
    >>> print(testing.check_environment("CartPole-v1"))
    environment CartPole-v1: fit for training
    """
    from maxent.environments.checking import examined

    return examined(env)
