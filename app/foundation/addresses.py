"""Numbers in addresses: only those that a row of the database can have. Any other leads nowhere."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

LARGEST = 2**63 - 1


class RowNumber(IntegerConverter):
    """What ``<int:…>`` takes: more digits, or a larger number, would be refused by the database with an error."""

    regex = f"[0-9]{{1,{len(str(LARGEST))}}}"

    def __init__(
        self, map: Map, fixed_digits: int = 0, min: int | None = None, max: int = LARGEST, signed: bool = False
    ) -> None:
        super().__init__(map, fixed_digits, min, max, signed)


def init_app(app: Flask) -> None:
    app.url_map.converters["int"] = RowNumber
