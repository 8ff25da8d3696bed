"""The exact half: operators, certified bounds, solvers, for any finite MDP (NumPy and SciPy)."""
