"""A temperature that falls over a run."""

import math

import numpy as np
import pytest
import torch

import maxent
from maxent.errors import ConfigError
from maxent.neural.algorithms import sac, sql

SMALL = {"hidden": (8,), "batch_size": 4, "learning_starts": 10, "temperature": 0.5}
SMALL |= {"cooled_from": 8.0, "cooling_share": 0.75, "log_every": 10}
KINDS = {
    "sac": ("sac", "Pendulum-v1", {}),
    "sac, mixture": ("sac", "Pendulum-v1", {"policy": "mixture", "components": 2}),
    "sac_v1": ("sac_v1", "Pendulum-v1", {}),
    "sac_discrete": ("sac", "CartPole-v1", {}),
    "sql": ("sql", "Pendulum-v1", {"particles": 3}),
    "sql, resampled": ("sql", "Pendulum-v1", {"policy": "resampled", "proposal": "uniform"}),
    "sql_discrete": ("sql", "CartPole-v1", {}),
}


def test_it_falls_on_a_logarithmic_scale_and_then_stays():
    config = sql.Config(temperature=1.0, cooled_from=16.0, cooling_share=0.5)
    found = [config.temperature_at(x) for x in (0.0, 0.125, 0.25, 0.5, 1.0)]
    assert found == pytest.approx([16.0, 8.0, 4.0, 1.0, 1.0])
    assert found[-1] == 1.0
    assert sql.Config(temperature=0.3).temperature_at(0.2) == 0.3


@pytest.mark.parametrize("name", KINDS)
def test_a_run_is_cooled_recorded_and_goes_on_bit_for_bit(tmp_path, name):
    algorithm, env, more = KINDS[name]
    settings = SMALL | more
    whole = maxent.train(algorithm, env, steps=40, seed=3, **settings)
    assert whole.temperature == pytest.approx(0.5, rel=1e-6)
    rows = {row["step"]: row["temperature"] for row in whole.history}
    exact = 8.0 * (0.5 / 8.0) ** (10 / 22.5)  # it falls from step 10 on, the first update
    assert rows[20] == pytest.approx(exact, rel=0.3)
    assert rows[40] == pytest.approx(0.5, rel=0.1)
    stopped = maxent.train(
        algorithm,
        env,
        steps=40,
        seed=3,
        run=tmp_path / "run",
        report=lambda row: row["step"] < 20,
        **settings,
    )
    assert stopped.temperature == pytest.approx(exact, rel=1e-5)
    assert stopped.temperature != whole.temperature
    back = maxent.load_agent(stopped.save(tmp_path / "agent.safetensors"))
    assert back.temperature == stopped.temperature
    again = maxent.resume(tmp_path / "run")
    assert again.temperature == whole.temperature
    for name, x in whole.state["critic"].items():
        assert torch.equal(x, again.state["critic"][name])


def test_the_temperature_in_force_is_what_the_update_uses():
    """Without a future the target of sac's actor is alpha's: at a large alpha the entropy rises."""
    hot = SMALL | {"temperature": 0.01, "cooled_from": 100.0, "cooling_share": 1.0}
    agent = maxent.train("sac", "Pendulum-v1", steps=20, seed=1, **hot)
    found = [row["temperature"] for row in agent.history]
    assert found == sorted(found, reverse=True) and found[0] > 10.0 * found[-1]
    assert agent.temperature == pytest.approx(0.01, rel=1e-5)
    assert np.isfinite(maxent.diagnose(agent, episodes=1)["GIBBS-3"].error)


def test_it_falls_from_the_first_update_on_however_late_that_is():
    """What was cooled while nothing was learnt would be lost."""
    late = SMALL | {"learning_starts": 30, "log_every": 1}
    agent = maxent.train("sac", "Pendulum-v1", steps=40, seed=1, **late)
    found = {row["step"]: row["temperature"] for row in agent.history}
    assert found[30] == pytest.approx(8.0) and found[31] < 8.0
    assert found[38] == pytest.approx(0.5) and found[37] > 0.5


def test_what_is_no_schedule_is_refused():
    with pytest.raises(ConfigError, match=r"cooled_from = 3\.0 with a temperature that is tuned"):
        sac.Config(cooled_from=3.0)
    for bad in (0.0, -1.0, math.nan, "10"):
        with pytest.raises(ConfigError, match="cooled_from"):
            sac.Config(temperature=1.0, cooled_from=bad)
    for bad in (0.0, 1.5, math.nan):
        with pytest.raises(ConfigError, match="cooling_share"):
            sac.Config(temperature=1.0, cooled_from=2.0, cooling_share=bad)
