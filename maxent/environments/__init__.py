"""Between Gymnasium and MDPs: read a table `P` as an MDP, run any MDP as an environment.

`from_gymnasium` reads the transition table that Gymnasium's toy-text environments carry,
`P[state][action] = [(probability, next_state, reward, terminated), ...]`; `from_table` takes such
a table without an environment, and `from_simulator` makes one of an environment that can be copied,
or of a successor function, by visiting every state.  `MDPEnv` is the way back: an environment whose
observations and actions are the state and action numbers of an MDP.

Gymnasium finds the ids `maxent/MDP-v0` and `maxent/Gridworld-v0` once `maxent` is in use;
`gymnasium.make("maxent.environments:maxent/MDP-v0", mdp=mdp)` imports it by itself.
"""

from maxent.environments.mdp_env import GridworldEnv, MDPEnv, draw
from maxent.environments.simulators import from_simulator
from maxent.environments.tables import from_gymnasium
from maxent.environments.written_tables import from_table

__all__ = ["GridworldEnv", "MDPEnv", "draw", "from_gymnasium", "from_simulator", "from_table"]
