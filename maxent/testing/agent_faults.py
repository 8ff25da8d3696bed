"""The mistakes of maximum-entropy agents by name, and what one shows as."""

from __future__ import annotations

from dataclasses import dataclass

# of the target of Q
NO_BONUS = "entropy left out of the next state's value"
BONUS_AT_ONE = "temperature left out of the next state's entropy"
BONUS_SQUARED = "temperature squared, or a part of it, in the next state's entropy"
BONUS_OTHER = "entropy of the next state with another weight than the temperature"
BONUS_UNDISCOUNTED = "entropy of the next state not discounted"
BONUS_OF_CURRENT = "entropy of the current state in place of the next one's"
BONUS_OF_BOTH = "entropy of the current state in its Q, too"
BONUS_INVERTED = "temperature inverted in the next state's entropy"
BONUS_SIGN = "entropy of the next state with the wrong sign"
BONUS_JACOBIAN = "tanh's Jacobian left out of the next state's entropy"
BOX_UNITS = "entropy measured in the units of the box"
NO_DISCOUNT = "discount ignored"
DISCOUNT_TWICE = "discount applied twice"
OTHER_DISCOUNT = "another discount"
FROZEN = "target network never follows, or there is no bootstrapping"
TERMINATION = "bootstraps through a termination"
INVERTED = "bootstraps through terminations alone"
BONUS_AFTER_END = "entropy counted after a termination"
AT_LIMIT = "termination at the time limit taken for a truncation"
CUT = "truncation taken for a termination"
NEXT_EPISODE = "next episode's observation taken for the last one"
CURRENT = "observation taken for the next one"
LATER = "a later observation taken for the next one"
AUTORESET = "autoreset step used as a transition"
REWARDS_SCALED = "rewards scaled"
REWARDS_DISCOUNTED = "reward discounted"
REWARDS_SHIFTED = "a constant added to the reward"

# of the policy
NO_ENTROPY = "entropy left out of the policy's loss"
NO_NOISE = "samples of the policy are one action"
IGNORES = "policy does not depend on the observation"
LOSS_AT_ONE = "temperature left out of the policy's loss"
LOSS_SQUARED = "temperature squared in the policy's loss"
LOSS_INVERTED = "temperature inverted in the policy's loss"
OTHER_TEMPERATURE = "acts at another temperature"
ENTROPY_SIGN = "wrong sign in the policy's entropy"
JACOBIAN = "tanh's Jacobian missing in the density"
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
CUT_OFF = "observations cut off"
REPORTED_JACOBIAN = "tanh's Jacobian left out of the reported density"
REPORTED_IN_BOX = "reported density in the units of the box"

# what no mistake above explains
VALUE_DIFFERS = "value of the next state differs from the truth"
POLICY_DIFFERS = "policy differs from exp(Q/temperature)"
UNREACHED = "temperature does not reach the target entropy"
OTHER_DENSITY = "reported density is not that of the samples"
UNSTABLE = "wrong in another way in each training"

VAGUE = frozenset([VALUE_DIFFERS, POLICY_DIFFERS, UNREACHED, OTHER_DENSITY, UNSTABLE])
"""What may follow from another mistake, or from too short a training."""
FITTED = frozenset([BONUS_OTHER, OTHER_DISCOUNT, REWARDS_SHIFTED])
"""Mistakes with a number that is fitted."""
DOUBTFUL = VAGUE | FITTED | {STALE}
"""What too short a training may look like: reported if a longer one shows it too."""
SHADOWS = frozenset(
    [JACOBIAN, ENTROPY_SIGN, NO_ENTROPY, NO_NOISE, IGNORES, SCALED, SYMMETRIC, OUTSIDE, MIXED_UNITS]
)
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
