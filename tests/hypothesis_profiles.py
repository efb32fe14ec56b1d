"""How hypothesis runs: the same examples on every machine and every run, and no deadline on a busy one."""

from hypothesis import HealthCheck, settings

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")
