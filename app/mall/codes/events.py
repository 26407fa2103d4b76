"""What happened to code pools."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CodesAdded:
    """There are more codes of a variant: whoever waits for one can have it."""

    variant_id: int
    at: datetime
