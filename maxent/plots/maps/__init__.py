"""Figures of a place: the map of a gridworld, or the plane of the four-goal task."""
