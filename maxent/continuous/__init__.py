"""Continuous problems with an exact answer: what a learned policy is held against (no torch)."""
