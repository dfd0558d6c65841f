"""Answers that write to the grader's channel themselves. They find it as file descriptor 4."""

from textwrap import dedent

from tests.grading.attacks.attack import Attack, answer

CHEATS = "wrote to the grader's channel"
TOOLS = """
import json, os, struct

def message(value, body=b"", **fields):
    header = json.dumps({**fields, "value": value}).encode()
    return struct.pack("<II", len(header), len(body)) + header + body

ARRAY = {"array": ["float64", [2]]}
"""


def forged(name: str, sent: str, says: str = CHEATS) -> Attack:
    """An answer that writes something to the channel and then ends without a word."""
    body = f"def mean_square(x):\n    os.write(4, {sent})\n    os.read(3, 1)"
    return answer(name, TOOLS + body, says=says)


def replied(name: str, tree: str, body: str = "b''") -> Attack:
    """An answer that knows the id of the call, and sends a value of its own making."""
    text = f"""
    import gc, sys

    def mean_square(x):
        frame = sys._getframe()
        while "fields" not in frame.f_locals: frame = frame.f_back
        rest = memoryview(message({tree}, {body}, id=frame.f_locals["fields"]["id"]))
        while rest: rest = rest[os.write(4, rest):]
        os.read(3, 1)
    """
    return answer(name, TOOLS + dedent(text), says=CHEATS)


ATTACKS = [
    forged("a wrong id", "message(ARRAY, bytes(16), id='0' * 32)"),
    forged("no id", "message(ARRAY, bytes(16))"),
    forged("an id that is no text", "message(ARRAY, bytes(16), id=[])"),
    forged("a length beyond all limits", "struct.pack('<II', 2**32 - 1, 2**32 - 1)"),
    forged("a length that is never filled", "struct.pack('<II', 1000, 0) + b'{}'", says="no result within"),
    forged("a message byte by byte that never ends", "b'a'", says="no result within"),
    forged("no JSON", "struct.pack('<II', 4, 0) + b'\\xff\\xfe{}'"),
    forged("JSON that nests too deep", "struct.pack('<II', 200_000, 0) + b'[' * 200_000"),
    forged("JSON of another kind", "struct.pack('<II', 2, 0) + b'[]'"),
    forged(
        "a number of ten thousand digits",
        "struct.pack('<II', 10_010, 0) + b'{\"value\":' + b'9' * 10_000 + b'}'",
    ),
    forged("a pickle", "struct.pack('<II', 30, 0) + b'cos\\nsystem\\n(S\"true\"\\ntR.'.ljust(30)"),
    forged("a frame of the worker", "b'E' + struct.pack('<I', 2) + b'{}' * 10"),
    replied("an array of objects", "{'array': ['object', [1]]}", "bytes(8)"),
    replied("an array of a strange dtype", "{'array': ['|O', [1]]}", "bytes(8)"),
    replied("an array with a negative axis", "{'array': ['float64', [-2]]}", "bytes(16)"),
    replied("an array longer than its numbers", "{'array': ['float64', [2**30, 2**30]]}", "bytes(16)"),
    replied("an array with too many axes", "{'array': ['float64', [1] * 100]}", "bytes(8)"),
    replied("an array with an axis that is no number", "{'array': ['float64', [True, '2']]}", "bytes(16)"),
    replied("more numbers than arrays", "{'array': ['float64', [2]]}", "bytes(1600)"),
    replied("a value of a strange kind", "{'module': 'os'}"),
    replied("a value of two kinds", "{'list': [], 'tuple': []}"),
    replied(
        "a dict of numbers with one hash",
        "{'dict': [[n * (2**61 - 1), 0] for n in range(100_000)]}",
    ),
    replied("a dict with a list for a key", "{'dict': [[{'list': []}, 1]]}"),
    replied("a problem of no kind", "{'problem': ['passed', '']}"),
    replied("a value nested deep", "eval('{\"list\": [' * 100 + ']}' * 100)"),
    replied("two replies at once", "ARRAY", "bytes(16) + message(ARRAY, bytes(16))"),
    answer(
        "an early reply",
        TOOLS + "os.write(4, message(ARRAY, bytes(16), id='0' * 32))\n\ndef mean_square(x):\n    return x",
        says=CHEATS,
    ),
    answer(
        "a flood of replies",
        TOOLS
        + """
def mean_square(x):
    while True: os.write(4, message(ARRAY, bytes(16), id="0" * 32))
""",
        says=CHEATS,
    ),
    answer(
        "a thread that floods the channel",
        TOOLS
        + """
import threading

def flood():
    while True: os.write(4, bytes(100_000))

threading.Thread(target=flood, daemon=True).start()

def mean_square(x):
    return x
""",
        says=CHEATS,
    ),
    answer(
        "a claim that all passed",
        "def mean_square(x):\n    return {'passed': True, 'problem': None, 'score': 100}",
        says="a dict came",
    ),
]
