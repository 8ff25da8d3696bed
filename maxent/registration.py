"""The ids of the package's Gymnasium environments, registered on import (which is cheap)."""

import gymnasium

for _name, _class in (("maxent/MDP-v0", "MDPEnv"), ("maxent/Gridworld-v0", "GridworldEnv")):
    if _name not in gymnasium.registry:
        gymnasium.register(_name, entry_point=f"maxent.environments:{_class}")
