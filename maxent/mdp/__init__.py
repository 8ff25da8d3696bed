"""Markov decision processes: the model, its checks, its files, random ones.

=============  ====================================================================
`model`        `MDP`: the axes, what terminal and absorbing mean; start here
`directions`   dynamics without stored transitions: where each direction leads
`matrix_free`  an MDP made of them
`transitions`  transition matrices and rewards, from what users give to one layout
`validation`   checks of the arrays that make up an MDP, a policy or a prior
`storage`      `MDP.save` and `MDP.load`: a NumPy archive without pickle
`grid`         `Grid`: where the states lie on a map
`pairs`        `from_pairs`: a list of state-action pairs, as QuantEcon has it
`explicit`     `read_model`: the files of PRISM and Storm
`random_mdps`  `garnet`: seeded random MDPs
=============  ====================================================================
"""

from maxent.mdp.model import MDP, require_discounted, require_mdp

__all__ = ["MDP", "require_discounted", "require_mdp"]
