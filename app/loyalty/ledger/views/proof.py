"""The open books: checkpoints for everybody, receipts for members, and a page on which a receipt is checked."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Blueprint, Response, abort, request, url_for

from app.foundation import clock
from app.foundation.pages import page, public_url
from app.foundation.permissions import Permission, public, requires
from app.identity.session import LARGEST_ID, current_member
from app.loyalty.ledger import checkpoints
from app.loyalty.ledger.explanations import known_kinds, label_of
from app.loyalty.ledger.receipts import receipt

proof = Blueprint("proof", __name__)

PAGE = 15
JSON_PAGE = 100
LARGEST = 2**31 - 1
NUMBER = f"int(max={LARGEST})"
FOR_EVERYBODY = {"Cache-Control": "public, max-age=300"}


@proof.get("/ledger")
@public
def index() -> Response:
    last = checkpoints.last_number()
    shown = _before(last, PAGE)
    return page(
        "loyalty/ledger/proof/index.html",
        fragments={"more"},
        checkpoints=shown,
        is_first="before" not in request.args,
        older_url=url_for(".index", before=shown[-1].number) if shown and shown[-1].number > 1 else None,
    )


@proof.get("/ledger/verification")
@public
def verification() -> Response:
    kinds = {kind: label_of(kind) for kind in known_kinds()}
    return page(
        "loyalty/ledger/proof/verification.html",
        kinds=json.dumps(kinds, ensure_ascii=False),
        zone=clock.programme_zone().key,
        proof_url=_proof_url(),
    )


def _proof_url() -> str:
    """Where the proof of two checkpoints lies, with places for their numbers."""
    return url_for(".consistency", first=0, second=0).replace("/0/", "/FIRST/").replace("/0.", "/SECOND.")


@proof.get(f"/ledger/checkpoints/<{NUMBER}:number>")
@public
def show(number: int) -> Response:
    found, last = checkpoints.published_one(number), checkpoints.last_number()
    return page(
        "loyalty/ledger/proof/show.html",
        checkpoint=found,
        document=_text(found.document()),
        earlier=number - 1 or None,
        later=number + 1 if number < last else None,
        latest=last if number < last else None,
    )


@proof.get(f"/ledger/checkpoints/<{NUMBER}:number>.json")
@public
def document(number: int) -> Response:
    return _json(checkpoints.published_one(number).document(), FOR_EVERYBODY)


@proof.get("/ledger/checkpoints.json")
@public
def documents() -> Response:
    """The checkpoints, newest first; ``next`` leads to older ones."""
    shown = _before(checkpoints.last_number(), JSON_PAGE)
    older = public_url("portal.proof.documents", before=shown[-1].number) if shown and shown[-1].number > 1 else None
    return _json({"checkpoints": [each.document() for each in shown], "next": older}, FOR_EVERYBODY)


@proof.get(f"/ledger/checkpoints/<{NUMBER}:first>/consistency/<{NUMBER}:second>.json")
@public
def consistency(first: int, second: int) -> Response:
    return _json(checkpoints.consistency(first, second), FOR_EVERYBODY)


@proof.get(f"/points/<int(max={LARGEST_ID}):transfer_id>/receipt.json")
@requires(Permission.POINTS_OWN)
def create_receipt(transfer_id: int) -> Response:
    found = receipt(current_member().id, transfer_id) or abort(404)
    return _json(found, {"Content-Disposition": f'attachment; filename="receipt-{transfer_id}.json"'})


def _before(last: int, size: int) -> list[checkpoints.Published]:
    """A page of checkpoints, newest first, as the address asks."""
    before = request.args.get("before", "")
    if not re.fullmatch(r"[0-9]{0,9}", before):
        abort(404)
    end = min(int(before) - 1, last) if before else last
    return checkpoints.published(max(end - size + 1, 1), end)[::-1]


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _json(document: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(_text(document) + "\n", mimetype="application/json", headers=headers)
