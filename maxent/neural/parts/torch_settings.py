"""PyTorch's global settings: they belong to the caller and to environments, and count for nothing.

`torch.set_default_dtype(torch.float64)`, `torch.no_grad()`, `torch.inference_mode()`,
`torch.autocast(...)` and `torch.set_default_device(...)` change what a line of code computes; here
it always computes in float32, with gradients, on the device that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

KINDS = ("cpu", "cuda")
"""Where numbers of another length may be asked for with `autocast`."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def in_our_settings(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function, in PyTorch's usual settings whatever they are outside; they are put back."""

    @wraps(function)
    def called(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if _are_usual():
            return function(*args, **kwargs)
        with our_settings():
            return function(*args, **kwargs)

    return called


@contextmanager
def our_settings() -> Iterator[None]:
    """PyTorch's usual settings, and the caller's afterwards.

    >>> import torch
    >>> from maxent.neural.parts.torch_settings import our_settings
    >>> with torch.no_grad(), our_settings():
    ...     torch.is_grad_enabled()
    True
    """
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autocast("cpu", enabled=False),
            torch.autocast("cuda", enabled=False),
            torch.device("cpu"),
        ):
            yield
    finally:
        torch.set_default_dtype(dtype)


def _are_usual() -> bool:
    return (
        torch.get_default_dtype() is torch.float32
        and torch.is_grad_enabled()  # so not in inference mode
        and torch.get_default_device().type == "cpu"
        and not any(map(torch.is_autocast_enabled, KINDS))
    )
