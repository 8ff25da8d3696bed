"""Results as pandas data frames, for those who have pandas."""

from __future__ import annotations

from typing import Any


def data_frame(columns: Any) -> Any:
    """A DataFrame of columns by name, or of rows as dictionaries; ImportError without pandas."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "to_frame() needs pandas: pip install 'maxent[data]' (to_dict() does not)"
        ) from error
    return pandas.DataFrame(columns)
