"""Markov decision processes: the model, its checks, its files, random ones."""

from maxent.mdp.model import MDP, require_mdp

__all__ = ["MDP", "require_mdp"]
