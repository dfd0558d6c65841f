"""Values that are not what they seem."""

from tests.grading.attacks.attack import answer

EQUAL = """
class Equal{base}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __hash__ = None
"""
UNKNOWN = "an object of type"


def returns(name: str, setup: str, value: str, says: str = "", fair: float = 0.0) -> object:
    """An answer that returns a value."""
    return answer(name, f"{setup}\n\ndef mean_square(x):\n    return {value}", fair, says)


ATTACKS = [
    returns("equal to everything", EQUAL.format(base=""), "Equal()", UNKNOWN),
    returns("a number equal to everything", EQUAL.format(base="(float)"), "Equal(1.0)", "the number 1"),
    returns("a text equal to everything", EQUAL.format(base="(str)"), "Equal('a')", "text"),
    returns("a list equal to everything", EQUAL.format(base="(list)"), "Equal([1.0])", "list"),
    returns(
        "an array equal to everything",
        EQUAL.format(base="(np.ndarray)"),
        "np.zeros(x.shape[1]).view(Equal)",
        "differ",
    ),
    returns(
        "array protocols",
        """
class Fake:
    shape, dtype, ndim, size = (2,), np.dtype(float), 1, 2
    def __array__(self, *args, **kwargs): return np.array([1.0, 9.0])
    def __array_ufunc__(self, *args, **kwargs): return True
    def __array_function__(self, *args, **kwargs): return True
    def __len__(self): return 2
    def __getitem__(self, key): return 1.0
    def __float__(self): return 1.0
""",
        "Fake()",
        UNKNOWN,
    ),
    returns("a class that says it is an array", "class Fake:\n    __class__ = np.ndarray", "Fake()", ""),
    returns(
        "an array of objects", EQUAL.format(base=""), "np.array([Equal(), Equal()], dtype=object)", "came"
    ),
    returns("a structured array", "", "np.zeros(2, dtype=[('a', float)])", "came"),
    returns("a record of bytes", "", "np.zeros(2, dtype='V8')", "came"),
    returns("a masked array", "", "np.ma.masked_array(x.sum(0), mask=True)"),
    returns("an array in another order", "", "np.asfortranarray((x * x).mean(0))[::-1][::-1]", fair=2.0),
    returns("an array in another byte order", "", "(x * x).mean(0).astype('>f8')", fair=2.0),
    returns("a view of a larger array", "", "np.broadcast_to((x * x).mean(0), (5, x.shape[1]))[3]", fair=2.0),
    returns("a broadcast array of a trillion numbers", "", "np.broadcast_to(1.0, (10**6, 10**6))", "came"),
    returns("NaN", "", "x.sum(0) * np.nan", "came"),
    returns("infinity", "", "x.sum(0) + np.inf", "came"),
    returns("a huge integer", "", "10**400", "came"),
    returns(
        "a tuple with a false length",
        "class Tuple(tuple):\n    __len__ = lambda self: 2",
        "Tuple([1.0])",
        "came",
    ),
    returns(
        "a dict with false items", "class Dict(dict):\n    items = lambda self: [(1,)] * 3", "Dict(a=1)", ""
    ),
    returns(
        "a problem that claims to have passed",
        "from coursekit.grading.problem import Problem",
        "Problem('passed', '')",
        "",
    ),
    returns(
        "a value that failed",
        "from coursekit.grading.problem import NoValue, Problem",
        "NoValue(None)",
        UNKNOWN,
    ),
    returns(
        "a class that unpickles as something else",
        "class Bomb:\n    def __reduce__(self): return print, ('passed',)",
        "Bomb()",
        UNKNOWN,
    ),
    returns("pickled bytes", "import pickle", "pickle.dumps(x)", "object of type bytes"),
    returns("a function", "", "lambda: x", "object of type function"),
    returns("half a character", "", "chr(0xD800)", "text"),
    returns("a module", "import sys", "sys", "object of type module"),
    returns("None", "", "None", "return"),
]
