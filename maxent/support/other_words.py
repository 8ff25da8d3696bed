"""What other libraries call the things that have another name here: one table.

Errors about an unknown argument, setting or option, and the page `docs/coming_from.md`, are made
from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import wraps
from typing import ParamSpec, TypeVar

from maxent.support.arguments import closest

SB3, CLEANRL, QUANTECON, TOOLBOX = "SB3", "CleanRL", "QuantEcon", "pymdptoolbox"
SPINNING_UP, PAPERS = "Spinning Up", "papers"

WORDS: dict[str, tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...]] = {
    "learning_rate": ((("actor_rate", "critic_rate"), "", (SB3, SPINNING_UP)),),
    "lr": ((("actor_rate", "critic_rate"), "", (SPINNING_UP,)),),
    "policy_lr": ((("actor_rate",), "", (CLEANRL,)),),
    "q_lr": ((("critic_rate",), "", (CLEANRL,)),),
    "gamma": ((("discount",), "", (SB3, CLEANRL, SPINNING_UP, PAPERS)),),
    "discount_factor": ((("discount",), "", (PAPERS,)),),
    "tau": ((("target_rate",), "", (SB3, CLEANRL)),),
    "polyak": ((("target_rate",), "1 - polyak", (SPINNING_UP,)),),
    "ent_coef": (
        (("temperature",), "", (SB3,)),
    ),
    "alpha": ((("temperature",), "", (CLEANRL, SPINNING_UP, PAPERS)),),
    "beta": (
        (("temperature",), "1/beta", (PAPERS,)),
        (("discount",), "", (QUANTECON,)),
    ),
    "reward_scale": ((("temperature",), "1/reward_scale", (PAPERS,)),),
    "autotune": ((("temperature",), "None, which has it tuned", (CLEANRL,)),),
    "buffer_size": ((("replay_capacity",), "", (SB3, CLEANRL)),),
    "replay_size": ((("replay_capacity",), "", (SPINNING_UP,)),),
    "net_arch": ((("hidden",), "", (SB3,)),),
    "policy_kwargs": ((("hidden",), "the sizes of net_arch", (SB3,)),),
    "hidden_sizes": ((("hidden",), "", (SPINNING_UP,)),),
    "n_envs": ((("num_envs",), "", (SB3,)),),
    "copies": ((("num_envs",), "", ()),),
    "total_timesteps": ((("steps",), "", (SB3, CLEANRL)),),
    "total_steps": ((("steps",), "", ()),),
    "n_timesteps": ((("steps",), "", ()),),
    "num_steps": ((("steps",), "", ()),),
    "start_steps": ((("learning_starts",), "", (SPINNING_UP,)),),
    "update_after": ((("learning_starts",), "", (SPINNING_UP,)),),
    "warmup_steps": ((("learning_starts",), "", ()),),
    "utd_ratio": ((("updates_per_step",), "", (PAPERS,)),),
    "utd": ((("updates_per_step",), "", (PAPERS,)),),
    "init_temperature": ((("initial_temperature",), "", (PAPERS,)),),
    "gradient_steps": (
        (("updates_per_step",), "gradient_steps/train_freq", (SB3,)),
    ),
    "train_freq": ((("updates_per_step",), "gradient_steps/train_freq", (SB3,)),),
    "target_network_frequency": ((("target_interval",), "", (CLEANRL,)),),
    "target_update_interval": ((("target_interval",), "", (SB3,)),),
    "env_id": ((("env",), "", (CLEANRL,)),),
    "env_kwargs": ((("env_settings",), "", (SB3,)),),
    "eval_freq": ((("evaluate_every",), "", (SB3,)),),
    "n_eval_episodes": ((("evaluation_episodes",), "", (SB3,)),),
    "save_freq": ((("checkpoint_every",), "", (SB3,)),),
    "log_interval": ((("log_every",), "in steps", (SB3,)),),
    "tensorboard_log": ((("run",), "a folder for log and checkpoints", (SB3,)),),
    "verbose": ((("progress",), "True", (SB3, TOOLBOX)),),
    "tol": ((("tolerance",), "", ()),),
    "epsilon": ((("tolerance",), "", (QUANTECON, TOOLBOX)),),
    "max_iter": ((("max_iterations",), "", (QUANTECON, TOOLBOX)),),
    "v_init": ((("v0",), "", (QUANTECON,)),),
    "initial_value": ((("v0",), "", (TOOLBOX,)),),
    "k": ((("sweeps",), "", (QUANTECON,)),),
    "N": ((("horizon",), "", (TOOLBOX,)),),
    "P": ((("transition", "transitions"), "", (TOOLBOX,)),),
    "transitions": ((("transition",), "", (TOOLBOX,)),),
    "Q": ((("transition",), "", (QUANTECON,)),),
    "R": ((("reward",), "", (QUANTECON, TOOLBOX)),),
    "rewards": ((("reward",), "", ()),),
    "s_indices": ((("states",), "", (QUANTECON,)),),
    "a_indices": ((("actions",), "", (QUANTECON,)),),
}  # fmt: skip
"""Their word: for each of its meanings our words, how the value is made where it is another, and
who says so."""

OF_THE_MDP = ("discount", "gamma", "discount_factor")
"""What a function of an MDP is asked for, and has from the MDP."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def hint(word: str, known: Collection[str], written: Callable[[str], str] = "{}=".format) -> str:
    """What is said here in place of `word`, as the end of a message; empty where it is unknown.

    known : the names that can be given here.  written : how a name is written here.

    >>> hint("tol", ["temperature", "tolerance"])
    'here it is tolerance='
    >>> hint("beta", ["temperature", "discount"])
    'here it is temperature=1/beta, or discount='
    """
    meanings = []
    for names, value, _ in WORDS.get(word.replace("-", "_"), ()):
        given = [name if name in known else f"{name}s" for name in names]  # or several of it
        ours = [written(name) for name in given if name in known]
        if ours:
            meanings.append(" and ".join(ours) + value)
    return f"here it is {', or '.join(meanings)}" if meanings else ""


def takes_our_words(
    function: Callable[Parameters, Result],
) -> Callable[Parameters, Result]:
    """The function, whose TypeError for an unknown argument names ours; its signature is kept."""
    parameters = inspect.signature(function).parameters
    open_ended = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    named = [name for name, each in parameters.items() if each.kind is not each.VAR_KEYWORD]
    needed = {name for name in named if parameters[name].default is inspect.Parameter.empty}

    @wraps(function)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for name in kwargs:
            if name not in parameters:
                absent = needed - kwargs.keys() - set(named[: len(args)])
                said = hint(name, absent if open_ended else named)
                if not said and "mdp" in named and name in OF_THE_MDP:
                    said = "the discount is the MDP's: mdp.replace(discount=...)"
                if not said and not open_ended and (meant := closest(name, named)):
                    said = f"did you mean {meant!r}?"
                if said:
                    found = f"{function.__qualname__}() got an unexpected keyword argument {name!r}"
                    raise TypeError(f"{found}; {said}")
        return function(*args, **kwargs)

    return checked


def markdown() -> str:
    """The table of the page `docs/coming_from.md`."""
    lines = ["| there | here | who says so |", "|---|---|---|"]
    for word, meanings in WORDS.items():
        here = " or ".join(
            " and ".join(f"`{name}`" for name in names) + (f" = {value}" if value else "")
            for names, value, _ in meanings
        )
        libraries = [library for _, _, libraries in meanings for library in libraries]
        lines.append(f"| `{word}` | {here} | {', '.join(libraries)} |")
    return "\n".join(lines)
