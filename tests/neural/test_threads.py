"""What SECURITY.md says of threads: evaluations, checks and trainings side by side."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

import maxent


def in_threads(work, *arguments, rounds=2):
    """`work` of each argument, alone and in threads: (alone, what each thread found)."""
    alone = [work(argument) for argument in arguments]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, arguments * rounds))
    return alone * rounds, found


def test_evaluations_and_trade_offs_give_the_same_bits():
    mdp = maxent.garnet(30, 3, discount=0.9)
    uniform = [1.0 / 3.0] * 3

    def work(temperature):
        return maxent.soft_policy_evaluation(mdp, uniform, temperature)

    for one, other in zip(*in_threads(work, 0.0, 0.1, 1.0, rounds=6), strict=True):
        for name in ("v", "q", "lower", "upper"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_checks_give_the_same_numbers():
    mdp = maxent.gridworld("two-goals", discount=0.9)

    def work(temperature):
        return [
            (check.key, check.clause, check.verdict, check.slack)
            for check in maxent.verify(mdp, temperature).checks
        ]

    for one, other in zip(*in_threads(work, 0.1, 0.3), strict=True):
        assert one == other


def test_trainings_give_the_same_bits():
    def work(algorithm_and_seed):
        algorithm, seed = algorithm_and_seed
        agent = maxent.train(
            algorithm,
            "maxent/Gridworld-v0",
            env_settings={"map": "S.G", "discount": 0.9},
            steps=60,
            seed=seed,
            hidden=(8,),
            batch_size=4,
            learning_starts=10,
            temperature=0.2,
        )
        return agent.state

    from maxent.neural.parts.networks import named_tensors

    for one, other in zip(*in_threads(work, ("sac", 1), ("sql", 2)), strict=True):
        for (name, left), (_, right) in zip(named_tensors(one), named_tensors(other), strict=True):
            assert torch.equal(left, right), name
