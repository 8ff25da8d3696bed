"""`check_agent`: does an agent solve the maximum-entropy problem, and if not, what is wrong?"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from maxent.environments.trials import Case, cases
from maxent.errors import ConfigError
from maxent.support.arguments import nearest, quoted, require_count
from maxent.testing.agent_faults import DOUBTFUL, SHADOWS, UNSTABLE, VAGUE, Sign
from maxent.testing.agent_look import Look, UnusableAnswerError, look
from maxent.testing.agent_policies import (
    DRIFT_POINTS,
    border_signs,
    density_signs,
    drift_signs,
    entropy_signs,
    law_signs,
)
from maxent.testing.agent_report import AgentFault, AgentReport
from maxent.testing.agent_targets import value_signs

STEPS = 2_500
TRAININGS = 3
"""At most, of a case that is not plainly right at the first."""


def check_agent(
    adapter: Any, *, cases: Iterable[str] | None = None, steps: int = STEPS, seed: int = 0
) -> AgentReport:
    """Train an agent on tiny environments with known solutions, and say what it gets wrong.

    adapter : an object, or a class that makes it, with the methods below.
    cases : names of those to try; left out, all: "values", "truncation", "temperature", "border",
        "unbounded", "drift".
    steps : of a training.
    seed : of the first training.

    A mistake is reported where two trainings with different seeds show it.  Nothing is raised for a
    wrong agent, whatever it does: see `AgentReport`.  What an adapter has::

        train(make_env, steps=, temperature=, target_entropy=, discount=, seed=)
            trains from the beginning for `steps` steps of environments that make_env() makes, with
            an update after each step.  temperature : alpha; None: tuned to `target_entropy` nats.
            It may give the trained agent, which then has the methods below, or nothing.
        sample(observations, n, seed)
            n actions in each of K observations (K, d), as the environment takes them: (K, n, m),
            or (K, n) whole numbers.
        log_density(observations, actions)
            of such actions, (K, n); in the units of [-1, 1]^m for a box with sides, in the
            environment's for one without, log-probabilities of whole numbers.  May be left out.
        q(observations, actions)
            Q(s, a), (K, n).  May be left out; without it mistakes in the target of Q are not seen.
        discrete
            True for an agent with discrete actions.  May be left out.

    What an agent has not (a tuned temperature, boxes without sides), `train` refuses with
    NotImplementedError.  Choose settings with which it learns in a few thousand steps: learning
    rates of 1e-3 to 1e-2, random actions for the first 200 steps.

    >>> from maxent import testing
    >>> adapter = testing.our_agent("sac", critics=1)
    >>> report = testing.check_agent(adapter, cases=["values"], steps=800)
    >>> report.cases, report.faults
    (('values',), ())
    """
    made = adapter() if isinstance(adapter, type) else adapter
    if not callable(getattr(made, "train", None)):
        raise ConfigError(
            f"adapter = {quoted(adapter)} has no method train; give an object with train, "
            "sample, log_density and, if there is one, q"
        )
    require_count("steps", steps, minimum=100)
    require_count("seed", seed, minimum=0)
    chosen = _chosen(bool(getattr(made, "discrete", False)), cases)
    begun, findings, judged, left = time.process_time(), [], [], {}
    found: list[str] = []
    for case in chosen:
        try:
            signs, said = _judged(made, case, steps, seed, found)
        except NotImplementedError as error:
            left[case.name] = _line(error) or "the adapter does not offer it"
            continue
        if said:
            left[case.name] = said
        if not said or signs:
            judged.append(case.name)
        found += [sign.fault for sign in signs]
        findings += [_fault(sign, case) for sign in signs]
    if any(finding.fault not in VAGUE for finding in findings):
        findings = [each for each in findings if each.fault not in VAGUE]
    name = getattr(made, "name", None) or type(made).__name__
    seconds = time.process_time() - begun
    return AgentReport(str(name), tuple(findings), tuple(judged), left, seconds)


def _chosen(discrete: bool, names: Iterable[str] | None) -> list[Case]:
    known = {case.name: case for case in cases(discrete)}
    asked = list(known) if names is None else [names] if isinstance(names, str) else list(names)
    for name in asked:
        if name not in known:
            raise ConfigError(f"no case {str(name)[:40]!r}; {nearest(name, known)}")
    if not asked:
        raise ConfigError(f"cases is empty; choose among {', '.join(known)}")
    return [known[name] for name in asked]


def _judged(
    adapter: Any, case: Case, steps: int, seed: int, known: list[str]
) -> tuple[list[Sign], str]:
    """The mistakes that two trainings show, and why nothing can be said, if nothing can."""
    before: set[str] = set()
    for attempt in range(TRAININGS):
        signs, said = _signs(adapter, case, steps, seed + attempt, known)
        names = {sign.fault for sign in signs}
        again, last = names & before, attempt == TRAININGS - 1
        if not names or again - VAGUE or (again and last):
            return [sign for sign in signs if sign.fault in again], said
        before |= names
        if names <= DOUBTFUL:  # it may not have learnt enough
            steps *= 2
    detail = "each training shows another mistake: " + "; ".join(sorted(before))
    return [Sign(UNSTABLE, detail, np.nan, np.nan)], said


def _signs(
    adapter: Any, case: Case, steps: int, seed: int, known: list[str]
) -> tuple[list[Sign], str]:
    """What one training shows."""
    taken = max(int(steps * case.share), 50)
    states = DRIFT_POINTS if case.name == "drift" else np.eye(len(case.curves))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            trained = adapter.train(
                case.worlds(taken),
                steps=taken,
                temperature=case.temperature,
                target_entropy=case.target_entropy,
                discount=case.discount,
                seed=seed,
            )
            agent = trained if callable(getattr(trained, "sample", None)) else adapter
            seen = look(agent, case, states.astype(np.float32), seed)
    except NotImplementedError:
        raise
    except UnusableAnswerError as error:
        fault = "not finite (NaN or inf)" if "nan" in str(error) or "inf" in str(error) else None
        return [Sign(fault or "unusable answer", str(error), np.nan, np.nan)], ""
    except Exception as error:
        detail = f"it raised {type(error).__name__}: {_line(error)}"
        return [Sign(f"raises {type(error).__name__}", detail, np.nan, np.nan)], ""
    signs, said = _read(seen, case, known)
    if any(sign.fault not in VAGUE for sign in signs):
        signs = [sign for sign in signs if sign.fault not in VAGUE]
    return signs, said


def _read(seen: Look, case: Case, known: list[str]) -> tuple[list[Sign], str]:
    """The signs in what one training gave; and what could not be looked at."""
    if case.name == "drift":
        return drift_signs(seen, case), ""
    if case.name == "temperature":
        return entropy_signs(seen, case), ""
    if case.name == "border":
        return border_signs(seen, case), ""
    if case.name == "unbounded":
        return law_signs(seen, case), ""
    no_q = "" if seen.q is not None else "the adapter has no q: targets of Q were not looked at"
    if case.name == "truncation":
        return ([] if no_q else value_signs(seen, case, known)), no_q
    signs = law_signs(seen, case)
    if not any(sign.fault in SHADOWS for sign in signs):
        signs = [*signs, *density_signs(seen, case)]
        signs += [] if no_q else value_signs(seen, case)
    return signs, no_q


def _fault(sign: Sign, case: Case) -> AgentFault:
    numbers = (float(sign.measured), float(sign.right), float(sign.mistaken))
    return AgentFault(sign.fault, case.name, case.question, sign.detail, *numbers)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
