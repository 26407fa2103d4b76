"""The words that a product is found by, and those that a search asks for; pure.

Chinese has no spaces, so each of its characters is a word, and so is each pair of neighbours: 绿茶杯 gives 绿, 茶, 杯,
绿茶 and 茶杯. Whoever searches for one character finds that one, and for more of them all their pairs. Everything else
is cut where it is no letter or digit, and found by its beginning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

LONGEST_SEARCH = 60
LONGEST_WORD = 40
MOST_WORDS = 12

# Han with its extensions and the iteration mark, kana, and Hangul.
CJK = "\u3005\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
RUN = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
EDGES = ".,;:!?、。，；：！？()（）[]【】「」《》\"'“”‘’"  # A sentence's, not a name's.
LAST, NEXT = "\U0010ffff", "\u0001"  # Behind every word that goes on so; before every other word that does.


def fold(text: str) -> str:
    """``ＴＥＡ``, ``tea`` and ``téa`` are the same word for a search."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(sign for sign in apart if not "\u0300" <= sign <= "\u036f")
    return unicodedata.normalize("NFC", plain)


def search_text(names: Iterable[Mapping[str, str]], skus: Iterable[str]) -> str:
    """Everything a product may be found by, folded, one per line."""
    texts = [text for name in names for text in name.values() if text]
    return fold("\n".join([*texts, *skus]))


def words_of(folded: str) -> set[str]:
    """The words of a folded text, to be kept."""
    words: set[str] = set()
    for run in RUN.findall(folded):
        if is_cjk(run):
            words.update(run, map("".join, pairwise(run)))
        else:
            words.add(run[:LONGEST_WORD])
    return words


def is_cjk(word: str) -> bool:
    return re.match(f"[{CJK}]", word) is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """One of the words that a search asks for, as a range of words that are kept: from ``first`` to before ``end``."""

    first: str
    end: str


@dataclass(frozen=True, slots=True)
class Query:
    """``words`` must all be there; ``texts`` must stand there as they are. Without words nothing is found."""

    words: tuple[Asked, ...]
    texts: tuple[str, ...]


def query(typed: str) -> Query:
    """What somebody typed, whatever it is. Control characters, which no product has, count as spaces."""
    readable = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in typed[:LONGEST_SEARCH])
    parts = [part for each in fold(readable).split() if (part := each.strip(EDGES))]
    asked: dict[Asked, None] = {}
    for part in parts:
        for run in RUN.findall(part):
            asked |= dict.fromkeys(_asked(run))
    return Query(tuple(asked)[:MOST_WORDS], tuple(part for part in parts if _says_more(part)))


def _asked(run: str) -> list[Asked]:
    if not is_cjk(run):
        word = run[:LONGEST_WORD]
        return [Asked(word, word + LAST)]
    wanted = [run] if len(run) == 1 else ["".join(pair) for pair in pairwise(run)]
    return [Asked(word, word + NEXT) for word in wanted]


def _says_more(part: str) -> bool:
    """Is there more to a part than its words: a sign as in ``100%``, or an order as of 绿茶杯?"""
    runs = RUN.findall(part)
    return runs != [part] or len(part) > LONGEST_WORD or (is_cjk(part) and len(part) > 2)
