"""What SECURITY.md says of threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import maxent


def test_solvers_give_the_same_bits_in_many_threads():
    mdp = maxent.garnet(40, 3, discount=0.95)
    alone = {temperature: maxent.solve(mdp, temperature) for temperature in (0.0, 0.1, 1.0)}
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda temperature: maxent.solve(mdp, temperature), [*alone] * 10)
    for solution, temperature in zip(found, [*alone] * 10, strict=True):
        for name in ("v", "lower", "upper", "policy"):
            np.testing.assert_array_equal(
                getattr(solution, name), getattr(alone[temperature], name)
            )
