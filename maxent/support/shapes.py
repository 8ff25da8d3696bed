"""Shapes in annotations: `Float[ndarray, "S A"]` is an array of floats with S rows and A columns.

They are jaxtyping's for type checkers, and wherever jaxtyping was imported before, as in the tests,
which check every shape.  Elsewhere only the array type is left of them: annotations are not
executed, and importing jaxtyping takes half as long as importing NumPy.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Int, Int8, UInt8
else:

    class Float:
        """`Float[array type, shape]`, the array type."""

        def __class_getitem__(cls, described: tuple[Any, str]) -> Any:
            return described[0]

    Bool = Int = Int8 = UInt8 = Float

__all__ = ["Bool", "Float", "Int", "Int8", "UInt8"]
