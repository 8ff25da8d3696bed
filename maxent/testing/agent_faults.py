"""The mistakes of maximum-entropy agents by name, and what one shows as."""

from __future__ import annotations

from dataclasses import dataclass

# of the target of Q
NO_BONUS = "entropy left out of the next state's value"
BONUS_AT_ONE = "temperature left out of the next state's entropy"
BONUS_SQUARED = "temperature squared in the next state's entropy"
BONUS_INVERTED = "temperature inverted in the next state's entropy"
BONUS_SIGN = "entropy of the next state with the wrong sign"
BONUS_JACOBIAN = "tanh's Jacobian left out of the next state's entropy"
BOX_UNITS = "entropy measured in the units of the box"
NO_DISCOUNT = "discount ignored"
DISCOUNT_TWICE = "discount applied twice"
FROZEN = "target network never follows"
TERMINATION = "bootstraps through a termination"
AT_LIMIT = "termination at the time limit taken for a truncation"
CUT = "truncation taken for a termination"
NEXT_EPISODE = "next episode's observation taken for the last one"
AUTORESET = "autoreset step used as a transition"
REWARDS_SCALED = "rewards scaled"

# of the policy
NO_ENTROPY = "entropy left out of the policy's loss"
LOSS_AT_ONE = "temperature left out of the policy's loss"
LOSS_SQUARED = "temperature squared in the policy's loss"
LOSS_INVERTED = "temperature inverted in the policy's loss"
OTHER_TEMPERATURE = "acts at another temperature"
JACOBIAN = "tanh's Jacobian left out of the density"
CLAMPED = "log of a clamped tanh"
UNBOUNDED = "unbounded box squashed"
SCALED = "actions not scaled to the box"
SYMMETRIC = "box taken as symmetric about 0"
OUTSIDE = "actions outside of the box"
MIXED_UNITS = "actions in units of the box meet actions of [-1, 1] in the critic"

# of the tuned temperature
TARGET_SIGN = "target entropy, or the loss of the temperature, with the wrong sign"
TARGET_OF_ONE = "target entropy of one dimension"
TARGET_DOUBLED = "target entropy squared or doubled"
TARGET_IN_BOX = "target entropy in the units of the box"
NOT_TUNED = "temperature is not tuned (1)"

# of what is seen and reported
STALE = "stale normalisation of observations"
REPORTED_JACOBIAN = "tanh's Jacobian left out of the reported density"
REPORTED_IN_BOX = "reported density in the units of the box"

# what no mistake above explains
VALUE_DIFFERS = "value of the next state differs from the truth"
POLICY_DIFFERS = "policy differs from exp(Q/temperature)"
UNREACHED = "temperature does not reach the target entropy"
OTHER_DENSITY = "reported density is not that of the samples"

VAGUE = frozenset([VALUE_DIFFERS, POLICY_DIFFERS, UNREACHED, OTHER_DENSITY])
"""What may follow from another mistake, or from too short a training."""
SHADOWS = frozenset([JACOBIAN, NO_ENTROPY, SCALED, SYMMETRIC, OUTSIDE, MIXED_UNITS])
"""Mistakes of the policy after which values say nothing more."""


@dataclass(frozen=True)
class Sign:
    """One mistake as it shows in the numbers of one training.

    fault : its name.  detail : where it shows, in words.
    measured, right, mistaken : one number: as found, as it should be, as the mistake makes it (nan
        where that is not known).
    """

    fault: str
    detail: str
    measured: float
    right: float
    mistaken: float = float("nan")
