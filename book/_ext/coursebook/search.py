"""Search in English and in Chinese, by an index that the page itself reads.

Chinese has no spaces, so a run of characters is cut into all pairs of neighbours: whoever types a word of two
characters or more finds the pages that hold its pairs. English words are stemmed as Sphinx does.
"""

import re
from itertools import pairwise

from sphinx.search.en import SearchEnglish

HAN = "\\u3400-\\u4dbf\\u4e00-\\u9fff"
PIECE = re.compile(rf"([{HAN}]+)|[^\W{HAN}]+")
SPLIT_QUERY = """
var splitQuery = (query) => {
  const pairs = (run) => run.length < 2 ? [run] : [...run].slice(1).map((next, i) => run[i] + next);
  const pieces = query.match(/[HAN]+|(?:(?![HAN])[\\p{Letter}\\p{Number}_\\p{Emoji_Presentation}])+/gu) || [];
  return pieces.flatMap((piece) => /[HAN]/.test(piece) ? pairs(piece) : [piece]);
};
"""


class EnglishAndChinese(SearchEnglish):
    """Stems of English words, single Chinese characters, and pairs of them."""

    lang = "en-zh"
    language_name = "English and Chinese"
    js_splitter_code = SPLIT_QUERY.replace("HAN", HAN)

    def split(self, input: str) -> list[str]:
        """Words of a text; of a Chinese run the characters too, for whoever types one alone."""
        words = []
        for match in PIECE.finditer(input):
            run = match[1] or ""
            words += [*run, *map("".join, pairwise(run))] or [match[0]]
        return words
