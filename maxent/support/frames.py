"""Results as pandas data frames, for those who have pandas."""

from __future__ import annotations

from typing import Any

from maxent.support.extras import optional_module


def data_frame(columns: Any) -> Any:
    """A DataFrame of columns by name, or of rows as dictionaries; MissingExtraError without
    pandas."""
    return optional_module("pandas", "to_frame() needs").DataFrame(columns)
