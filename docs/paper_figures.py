"""The pictures of docs/guides/tradeoff_for_a_paper.md: its code is run, with PNG in place of PDF.

python docs/paper_figures.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path

DOCS = Path(__file__).parent
IMAGES = DOCS / "images" / "paper"


def main() -> None:
    page = (DOCS / "guides" / "tradeoff_for_a_paper.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.M | re.S))
    IMAGES.mkdir(parents=True, exist_ok=True)
    os.chdir(IMAGES)
    exec(re.sub(r'"([\w-]+)\.pdf"', r'"\1.png", overwrite=True, dpi=200', code), {})


if __name__ == "__main__":
    main()
