"""Gridworlds: a map drawn in text becomes an MDP.

A state is a cell of the map that can be stood on.  States are numbered row by row; walls and
cliffs are no states.  Actions are the moves in clockwise order: up, right, down, left, or, with
eight moves, up, up-right, right, and so on.

**The legend**: what the characters of a map mean.

=============  ====================================================================================
``#``          wall; so is everything beyond the map's edges
``.``, space   floor
``S``          start (several: one of them at random; none: any nonterminal cell at random)
``G``          goal, reward 1
``X``          pit, reward -1, always terminal
``!``          cliff: stepping on it pays its reward instead of the step reward, and the next
               state is a start
``A`` ... (not S, G, X)  portal: any action in it leads to the cell with the same letter in lower
               case and pays its reward instead of the step reward
others         floor whose reward is named in `rewards`
=============  ====================================================================================

Maps drawn with other characters are read with a `legend` (`maxent.LEGENDS`).

**One step** from cell s, in this order:

1. the move: the one meant with probability 1 - slip, and each of its two neighbours in clockwise
   order (perpendicular with 4 moves, 45 degrees off with 8) with probability slip/2.  A move into
   a wall leaves the agent where it is, and adds `bump_reward`.  A diagonal move looks only at
   its target, not at the cells it squeezes between;
2. the wind of the column of s: so many cells upwards, one by one, stopped by a wall;
3. the reward: the step reward, plus that of the cell where the step ends, if it is not s itself.
   Goals and pits pay in the same way: the step that enters G pays `step_reward` + G's reward.

Outcomes that lead to the same state are one transition with their mean reward.

=============  ====================================================================================
`build`        `gridworld`, the function that makes an MDP of a map and its settings
`dynamics`     one step from every cell, as matrices
`settings`     the settings: merged with a named map's own, checked
`text`         a map's characters, from a file, a text, a list or an array
`legends`      what characters mean; the legends of other people's maps
`maps`         the named maps with the settings that reproduce printed tables, mazes, empty rooms
=============  ====================================================================================
"""

from maxent.gridworlds.build import gridworld
from maxent.gridworlds.legends import LEGENDS
from maxent.gridworlds.maps import MAPS, maze
from maxent.gridworlds.text import read_map

__all__ = ["LEGENDS", "MAPS", "gridworld", "maze", "read_map"]
