"""The words and names of the simulation."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def load(name: str) -> Any:
    """The content of ``<name>.yaml`` beside this file."""
    return yaml.load((Path(__file__).parent / f"{name}.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
