"""Figures on the map of a gridworld."""
