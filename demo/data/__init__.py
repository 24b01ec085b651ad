"""The demo shop's data: what it sells, from whom, to whom, and what its customers write."""

from pathlib import Path
from typing import Any

import yaml


def load(name: str) -> Any:
    """The content of ``<name>.yaml`` beside this file."""
    return yaml.load((Path(__file__).parent / f"{name}.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
