"""Settings shared by all tests: derandomised property tests, so that a run can be repeated."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "maxent",
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("maxent")
