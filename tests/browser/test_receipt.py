"""A member takes a receipt and checks it in the browser: true ones hold, changed ones do not, and nothing is sent."""

from __future__ import annotations

import json
import re

ALICE = "alice@example.com"


def download(walker):
    """The receipt of the oldest line on the first page of the history."""
    walker.open("/points")
    walker.page.goto(
        walker.page.locator('#history a[href^="/points/"]', has_text="Open this line").last.get_attribute("href")
    )
    with walker.page.expect_download() as started:
        walker.page.get_by_role("link", name="Download receipt").click()
    return json.loads(started.value.path().read_text())


def choose(walker, *documents):
    files = [
        {"name": f"{number}.json", "mimeType": "application/json", "buffer": json.dumps(document).encode()}
        for number, document in enumerate(documents)
    ]
    walker.page.locator("input[type=file]").set_input_files(files)
    walker.page.locator("[data-results] .card").first.wait_for()


def states(walker):
    """What each step came to, by its icon."""
    steps = walker.page.locator(".proof-steps li").all()
    return [re.search(r"is-(\w+)", step.get_attribute("class"))[1] for step in steps]


def test_a_true_receipt_holds_and_a_changed_one_does_not(visit):
    alice = visit(ALICE)
    receipt = download(alice)
    alice.open("/ledger").look()
    alice.press("Check a receipt").look()
    asked = []
    alice.page.on("request", lambda request: asked.append(request.url))
    choose(alice, receipt)
    alice.sees("This receipt is sound.").look()
    assert states(alice) == ["yes"] * 4

    forged = receipt | {"content": re.sub(r'"amount":(-?\d+)', r'"amount":\g<1>0', receipt["content"])}
    choose(alice, forged)
    alice.sees(re.compile("This receipt is damaged or forged: 1 of 4")).look()
    assert states(alice) == ["yes", "no", "yes", "yes"]

    bent = receipt | {"checkpoint": receipt["checkpoint"] | {"hash": "00" * 32}}
    choose(alice, bent)
    alice.sees(re.compile("2 of 4 steps fail"))
    assert states(alice) == ["yes", "yes", "no", "no"]

    choose(alice, {"format": "something else"})
    alice.sees(re.compile("cannot be read as a receipt"))
    assert not [url for url in asked if "/ledger" in url or "/points" in url]


def test_checkpoints_that_somebody_saved_belong_to_the_same_books(visit):
    alice = visit(ALICE, width=1280)
    receipt = download(alice)
    number = json.loads(receipt["checkpoint"]["content"])["number"]
    fetch = lambda path: alice.context.request.get(path).json()  # noqa: E731
    latest = fetch("/ledger/checkpoints.json")["checkpoints"][0]
    last = json.loads(latest["content"])["number"]
    first, proof = fetch("/ledger/checkpoints/1.json"), fetch(f"/ledger/checkpoints/1/consistency/{number}.json")
    alice.open(f"/ledger/checkpoints/{number}").look()
    alice.open("/ledger/verification")
    documents = [receipt, first, proof, latest]
    choose(alice, *documents)
    alice.sees("The checkpoints belong to the same books.").look()
    if number != last:
        assert states(alice)[-1] == "open"
        documents.append(fetch(f"/ledger/checkpoints/{number}/consistency/{last}.json"))
        choose(alice, *documents)
        alice.sees("The checkpoints belong to the same books.")
    assert set(states(alice)) == {"yes"}
    choose(alice, receipt, first | {"content": first["content"].replace('"number":1', '"number":2')})
    alice.sees(re.compile("The checkpoints do not fit"))


def test_without_javascript_there_is_a_program(visit):
    visitor = visit(script=False)
    visitor.open("/ledger/verification").sees("JavaScript is switched off")
    visitor.sees("Download verify_receipt.py")


def test_without_encryption_the_page_says_what_to_do(visit):
    visitor = visit()
    visitor.page.add_init_script("Object.defineProperty(crypto, 'subtle', {value: undefined})")
    visitor.open("/ledger/verification").sees("Your browser cannot check here").look()
    assert not visitor.page.locator("[data-drop]").is_visible()
