#!/usr/bin/env python3
"""Check a receipt of the points ledger, without the shop's help and without a connection.

    python3 verify_receipt.py receipt-123.json
    python3 verify_receipt.py receipt-123.json --checkpoint checkpoint-7.json --consistency consistency-5-7.json

Needs Python 3.9 or newer and nothing else. Exit code: 0 all of it holds, 1 something does not, 2 a file cannot be read.

What is checked, with SHA-256 and the trees of RFC 6962 and RFC 9162:

    reason      SHA-256(salt + explanation) is the hash named in the line
    line        digest = SHA-256(previous digest + SHA-256(salt + content)); its path leads to the checkpoint's root
    checkpoint  SHA-256(its content) is its hash
    log         the checkpoint's hash is the last leaf of the log whose root it shows
    saved       a saved checkpoint with the same number is the same; for another number, a consistency proof
                shows that the log of the later one goes on from the log of the earlier one

A receipt stands or falls with its checkpoint: compare its hash with the one that is published, or one that you saved.
"""

# ruff: noqa: T201 - it talks to whoever runs it

import argparse
import json
import sys
from hashlib import sha256


class Unreadable(Exception):
    """A file is not what it should be."""


# --- trees (RFC 9162, sections 2.1.3.2 and 2.1.4.2) ---------------------------------------


def leaf_hash(data):
    return sha256(b"\x00" + data).digest()


def node_hash(left, right):
    return sha256(b"\x01" + left + right).digest()


def root_by_inclusion(leaf, index, size, path):
    place, last, found = index, size - 1, leaf
    for part in path:
        if last == 0:
            return None
        if place % 2 or place == last:
            found = node_hash(part, found)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            found = node_hash(found, part)
        place, last = place // 2, last // 2
    return found if last == 0 else None


def is_consistent(first, second, first_root, second_root, path):
    if first == second:
        return not path and first_root == second_root
    parts = ([first_root] if first & (first - 1) == 0 else []) + path
    if not parts:
        return False
    place, last = first - 1, second - 1
    while place % 2:
        place, last = place // 2, last // 2
    smaller = larger = parts[0]
    for part in parts[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            smaller, larger = node_hash(part, smaller), node_hash(part, larger)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            larger = node_hash(larger, part)
        place, last = place // 2, last // 2
    return last == 0 and smaller == first_root and larger == second_root


# --- files --------------------------------------------------------------------------------


def load(name, kind):
    try:
        with open(name, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"{name}: {error}") from error
    if not isinstance(found, dict) or found.get("format") != kind:
        raise Unreadable(f"{name}: this is not a file of the format {kind}")
    return found


def text(found, name):
    value = found.get(name)
    return need(value, isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value), name)


def whole(found, name, least):
    value = found.get(name)
    return need(value, isinstance(value, int) and not isinstance(value, bool) and value >= least, name)


def digest(value, name):
    try:
        found = bytes.fromhex(value)
    except (TypeError, ValueError):
        found = b""
    return need(found, len(found) == 32, name)


def path(found, name):
    parts = found.get(name)
    return [digest(part, name) for part in need(parts, isinstance(parts, list), name)]


def need(value, holds, name):
    if not holds:
        raise Unreadable(f"“{name}” is missing or is not what it should be")
    return value


def parsed(content, name):
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"“{name}”: {error}") from error
    return need(found, isinstance(found, dict), name)


class Checkpoint:
    def __init__(self, found):
        need(found, isinstance(found, dict) and found.get("format") == "jifen-checkpoint-1", "checkpoint")
        self.content = text(found, "content")
        told = parsed(self.content, "content of the checkpoint")
        self.number, self.transfers = whole(told, "number", 1), whole(told, "transfers", 1)
        self.root, self.hash = digest(told.get("root"), "root"), digest(found.get("hash"), "hash")
        log = need(found.get("log"), isinstance(found.get("log"), dict), "log")
        self.log_root, self.log_path = digest(log.get("root"), "root of the log"), path(log, "path")


# --- the steps ----------------------------------------------------------------------------


def shown(value):
    """What a file says, without line breaks and control signs by which it could write its own verdict here."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in str(value))


class Steps:
    def __init__(self):
        self.failed = 0

    def step(self, title, holds, detail=""):
        self.failed += not holds
        print(f"  [{'ok' if holds else 'WRONG'}] {title}" + (f"\n       {shown(detail)}" if detail else ""))

    def skip(self, title, why):
        print(f"  [--] {title}\n       {why}")


def check_receipt(steps, receipt):
    content = text(receipt, "content")
    line = parsed(content, "content")
    salt, previous = digest(receipt.get("salt"), "salt"), digest(receipt.get("previous"), "previous")
    index, size = whole(receipt, "leaf_index", 0), whole(receipt, "tree_size", 1)
    leads, checkpoint = path(receipt, "path"), Checkpoint(receipt.get("checkpoint"))

    print(shown(f"  {line.get('kind')}: {line.get('amount')}, reference {line.get('key')},"))
    print(shown(f"  line {line.get('sequence')} of account {line.get('wallet_id')}, booked {line.get('recorded_at')}"))
    if receipt.get("explanation") is None:
        steps.skip("the reason", "its text is no longer kept; its hash is part of the line")
    else:
        explanation = text(receipt, "explanation")
        reason = sha256(salt + explanation.encode()).hexdigest()
        steps.step("the reason is the one that was booked", reason == line.get("explanation"), explanation)
    found = sha256(previous + sha256(salt + content.encode()).digest()).digest()
    fits = size == checkpoint.transfers and index < size
    root = root_by_inclusion(leaf_hash(found), index, size, leads) if fits else None
    place = f"line {index + 1} of {size}, digest {found.hex()}"
    steps.step(f"the line is in checkpoint {checkpoint.number}", root == checkpoint.root, place)
    check_checkpoint(steps, checkpoint)
    return checkpoint


def check_checkpoint(steps, checkpoint):
    number = checkpoint.number
    fits = sha256(checkpoint.content.encode()).digest() == checkpoint.hash
    steps.step(f"checkpoint {number} is whole", fits, f"hash {checkpoint.hash.hex()}")
    root = root_by_inclusion(leaf_hash(checkpoint.hash), number - 1, number, checkpoint.log_path)
    steps.step(f"checkpoint {number} is in the log", root == checkpoint.log_root, f"root {checkpoint.log_root.hex()}")


def check_between(steps, one, other, proofs):
    if one.number == other.number:
        same = (one.hash, one.log_root) == (other.hash, other.log_root)
        steps.step(f"both files show the same checkpoint {one.number}", same)
        return
    title = f"checkpoint {other.number} continues checkpoint {one.number}"
    for proof in proofs:
        if (proof.get("first"), proof.get("second")) == (one.number, other.number):
            holds = is_consistent(one.number, other.number, one.log_root, other.log_root, path(proof, "path"))
            steps.step(title, holds)
            return
    steps.step(title, False, f"no proof: give --consistency consistency-{one.number}-{other.number}.json")


def main():
    parser = argparse.ArgumentParser(description="Check a receipt of the points ledger.")
    parser.add_argument("receipt", help="the receipt")
    parser.add_argument("--checkpoint", action="append", default=[], help="a checkpoint that you saved")
    parser.add_argument("--consistency", action="append", default=[], help="a proof between two checkpoints")
    given = parser.parse_args()
    steps = Steps()
    try:
        print(given.receipt)
        seals = [check_receipt(steps, load(given.receipt, "jifen-receipt-1"))]
        proofs = [load(name, "jifen-consistency-1") for name in given.consistency]
        for name in given.checkpoint:
            print(name)
            seals.append(Checkpoint(load(name, "jifen-checkpoint-1")))
            check_checkpoint(steps, seals[-1])
        seals.sort(key=lambda seal: seal.number)
        for at in range(1, len(seals)):
            check_between(steps, seals[at - 1], seals[at], proofs)
    except Unreadable as error:
        print(shown(f"  Cannot be read: {error}"), file=sys.stderr)
        return 2
    print("Everything holds." if not steps.failed else f"{steps.failed} of the steps above do not hold.")
    return 1 if steps.failed else 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):  # A terminal may lack the signs of other languages.
        stream.reconfigure(errors="replace")
    sys.exit(main())
