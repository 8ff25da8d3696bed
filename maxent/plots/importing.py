"""The first import of matplotlib, which fails where the environment names an unknown backend."""

from maxent.errors import ConfigError

try:
    from matplotlib.figure import Figure
except ValueError as error:
    raise ConfigError(f"the variable MPLBACKEND is wrong: {error}; correct or unset it") from error

__all__ = ["Figure"]
