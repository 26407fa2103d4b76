"""Numbers in addresses."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter

from app.foundation.addresses import LARGEST
from app.identity.members.models import Member
from tests.cast import sign_in


def test_no_address_takes_a_number_that_no_row_can_have(app: Flask):
    too_far = [
        rule.rule
        for rule in app.url_map.iter_rules()
        for kind in rule._converters.values()
        if isinstance(kind, IntegerConverter) and (kind.max is None or kind.max > LARGEST)
    ]
    assert too_far == []


@pytest.mark.parametrize("number", ["9" * 26, "9" * 5000, str(LARGEST + 1), str(LARGEST), "٣"])
@pytest.mark.parametrize("address", ["/codes/{}", "/orders/lines/{}"])
def test_what_cannot_be_there_is_not_there(app: Flask, alice: Member, address: str, number: str):
    client = sign_in(app.test_client(), alice)
    assert client.get(address.format(number)).status_code == 404
