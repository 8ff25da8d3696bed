"""The theorems, each clause with a verdict on a given MDP (exact, no torch)."""
