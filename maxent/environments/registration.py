"""The ids of the package's Gymnasium environments, registered on import (which is cheap)."""

import gymnasium

for _name, _place, _steps in (
    ("maxent/MDP-v0", "maxent.environments:MDPEnv", None),
    ("maxent/Gridworld-v0", "maxent.environments:GridworldEnv", None),
    ("maxent/LQR-v0", "maxent.continuous.environments:LQREnv", 100),
    ("maxent/Multigoal-v0", "maxent.continuous.environments:MultigoalEnv", 30),
):
    if _name not in gymnasium.registry:
        gymnasium.register(_name, entry_point=_place, max_episode_steps=_steps)
