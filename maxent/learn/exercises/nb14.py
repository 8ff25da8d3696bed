"""Notebook 14: a prior in place of the uniform one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logsumexp

from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "14-a-prior"


def value_with_prior(q, prior, temperature):
    return temperature * logsumexp(q / temperature, b=prior, axis=1)


def reward_difference(log_policy, log_reference, better, worse, beta):
    ratio = log_policy - log_reference
    return beta * (ratio[better].sum() - ratio[worse].sum())


def edge_rewards(edges, nodes):
    parents = np.bincount(edges[:, 1], minlength=nodes)
    return -np.log(parents[edges[:, 1]])


def _priors(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(3, 4)), rng.dirichlet(np.ones(4), 3), temperature)
        for temperature in (1.0, 0.2)
    ]


def _answers(seed: int) -> list[tuple[Any, ...]]:
    """Log-probabilities of 9 tokens under two models; two answers of 3 and 5 of these tokens."""
    rng = np.random.default_rng(seed)
    tokens = rng.permutation(9)
    log_policy, log_reference = np.log(rng.uniform(0.05, 0.9, size=(2, 9)))
    return [(log_policy, log_reference, tokens[:3], tokens[3:8], beta) for beta in (0.1, 0.7)]


def _graphs(seed: int) -> list[tuple[Any, ...]]:
    """A diamond, and a random directed graph without circles."""
    rng = np.random.default_rng(seed)
    diamond = np.array([[0, 1], [0, 2], [1, 3], [2, 3], [3, 4]])
    pairs = [(i, j) for j in range(1, 7) for i in range(j)]
    kept = [pair for pair in pairs if pair[0] == pair[1] - 1 or rng.random() < 0.5]
    return [(diamond, 5), (np.array(kept), 7)]


def _margin(change):
    def wrong(log_policy, log_reference, better, worse, beta):
        return change(log_policy - log_reference, log_policy, better, worse, beta)

    return wrong


def _paths(edges, nodes):
    counts = np.eye(nodes)[0]
    for source, target in edges[np.argsort(edges[:, 1], kind="stable")]:
        counts[target] += counts[source]
    return counts


EXERCISES = (
    Exercise(
        number="14.1",
        title="The soft value with a prior",
        answer="my_value",
        reference=value_with_prior,
        given=_priors,
        axes=("state",),
        hint="the prior is a weight of each exponential, within the logarithm.",
        mistakes=(
            Mistake(
                "the prior ignored",
                lambda q, prior, temperature: temperature * logsumexp(q / temperature, axis=1),
                "this is the entropy case: every action has the weight 1.",
            ),
            Mistake(
                "alpha left out in front",
                lambda q, prior, temperature: logsumexp(q / temperature, b=prior, axis=1),
                "the temperature divides q, but the logarithm is not multiplied by it.",
            ),
            Mistake(
                "expected q",
                lambda q, prior, temperature: (prior * q).sum(axis=1),
                "this is the value of following the prior (the limit of large temperatures).",
            ),
            Mistake(
                "log prior without the temperature",
                lambda q, prior, temperature: (
                    temperature * logsumexp((q + np.log(prior)) / temperature, axis=1)
                ),
                "log prior was divided by the temperature: write q + alpha log prior.",
            ),
            Mistake(
                "uniform prior",
                lambda q, prior, temperature: (
                    temperature * (logsumexp(q / temperature, axis=1) - np.log(q.shape[1]))
                ),
                "this is mellowmax: the prior is taken to be uniform.",
            ),
        ),
    ),
    Exercise(
        number="14.2",
        title="The reward that a tuned model implies",
        answer="my_reward_difference",
        reference=reward_difference,
        given=_answers,
        hint="the log-ratios of each answer's tokens, summed; then their difference, times beta.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "the reference left out",
                _margin(
                    lambda ratio, log_policy, b, w, beta: (
                        beta * (log_policy[b].sum() - log_policy[w].sum())
                    )
                ),
                "this compares how likely the answers are; what the reference already preferred "
                "is no reward.",
            ),
            Mistake(
                "beta left out",
                _margin(lambda ratio, log_policy, b, w, beta: ratio[b].sum() - ratio[w].sum()),
                "this is in nats; beta turns it into units of reward.",
            ),
            Mistake(
                "divided by beta",
                _margin(
                    lambda ratio, log_policy, b, w, beta: (ratio[b].sum() - ratio[w].sum()) / beta
                ),
                "beta divides the reward in the policy's exponent; here it multiplies.",
            ),
            Mistake(
                "a mean over tokens",
                _margin(
                    lambda ratio, log_policy, b, w, beta: beta * (ratio[b].mean() - ratio[w].mean())
                ),
                "each answer's log-ratio was divided by its length; log-probabilities add up.",
            ),
            Mistake(
                "worse minus better",
                _margin(
                    lambda ratio, log_policy, b, w, beta: beta * (ratio[w].sum() - ratio[b].sum())
                ),
                "this is how much worse the better answer is: the sign is the other way.",
            ),
        ),
    ),
    Exercise(
        number="14.3",
        title="The correction of a graph with many paths",
        answer="my_edge_rewards",
        reference=edge_rewards,
        given=_graphs,
        axes=("edge",),
        hint="how many edges enter the node that this edge goes to?",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "children instead of parents",
                lambda edges, nodes: (
                    -np.log(np.bincount(edges[:, 0], minlength=nodes)[edges[:, 0]])
                ),
                "this counts the edges that leave a node; those that enter it make the many paths.",
            ),
            Mistake(
                "parents of the source",
                lambda edges, nodes: (
                    -np.log(np.maximum(np.bincount(edges[:, 1], minlength=nodes)[edges[:, 0]], 1))
                ),
                "the parents of the node that the edge comes *from* were counted.",
            ),
            Mistake(
                "wrong sign",
                lambda edges, nodes: -edge_rewards(edges, nodes),
                "log of the number of parents: this rewards nodes with many paths even more.",
            ),
            Mistake(
                "not a logarithm",
                lambda edges, nodes: np.exp(edge_rewards(edges, nodes)),
                "these are the probabilities of going back; a reward is a logarithm here.",
            ),
            Mistake(
                "all paths at every edge",
                lambda edges, nodes: -np.log(_paths(edges, nodes)[edges[:, 1]]),
                "the number of whole paths was taken off at each edge, so that it is taken off "
                "several times along a path.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="14.a",
        question="A language model is tuned with a reward R and the weight beta of the KL. What is "
        "its value function at the prompt?",
        choices={
            "a": "the mean reward of the tuned model",
            "b": "beta times log of the reference's mean of exp(R / beta)",
            "c": "the reward of the best answer",
        },
        right="b",
        why={
            "a": "It is that less beta times the KL to the reference.",
            "b": "That is the soft value with a prior over whole answers; the tree of tokens only "
            "takes it apart, step by step.",
            "c": "That is the limit of small beta. With the same reference the mean reward can "
            "never exceed it.",
        },
    ),
)
