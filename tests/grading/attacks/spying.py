"""Answers that look for what they should not see. A spy that finds it gets the points of its question."""

from tests.grading.attacks.attack import Attack, answer

SECRET = "COURSEKIT_SECRET"  # a variable of the grader's environment
SPIES = {
    "the environment": "SECRET in os.environ",
    "others' environments": "each(lambda p: SECRET.encode() in open(p + 'environ', 'rb').read())",
    "others' files": "each(lambda p: os.readlink(p + 'fd/0'))",
    "others' folders": "each(lambda p: os.listdir(p + 'root/etc'))",
    "the master": "open(MASTER).read()",
    "the folder of the master": "os.listdir(os.path.dirname(MASTER))",
    "the course": "'pyproject.toml' in os.listdir(COURSE)",
    "the passwords": "open('/etc/passwd').read()",
    "other submissions": "open(OTHER).read()",
    "the network": "socket.create_connection(('127.0.0.1', PORT), timeout=1)",
    "a socket in a file": "socket.socket(socket.AF_UNIX)",
    "a signal to another process": "each(lambda p: not os.kill(int(p[6:-1]), 0))",
    "a shell": "subprocess.run(['/bin/true']).returncode == 0",
    "others' memory": "each(lambda p: open(p + 'mem', 'rb'))",
    "a debugger": "each(lambda p: libc.ptrace(0x4206, int(p[6:-1]), None, None) == 0)",
    "a signal to all": "not os.kill(-1, 0)",
    "writing to the interpreter": "not os.utime(os.__file__)",
    "writing to the package": "open(coursekit.__file__, 'a')",
    "settings of other processes": "each(lambda p: open(p + 'oom_score_adj', 'w').write('1000'))",
    "a device": "not os.mknod('coursekit-attack', 0o60600, os.makedev(8, 0)) and open('coursekit-attack')",
    "another namespace": "libc.unshare(0x10000000) == 0",
    "a mount": "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0",
    "another user": "not os.setuid(0 if os.getuid() else 12345)",
    "limits taken off": "not resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "the functions of the tests": "any({'hidden', 'expected'} & {*f.f_globals} for f in frames())",
    "the text of the tests": "any('SECRET_' + 'TEST' in repr(o) for o in gc.get_objects())",
}
"""What a spy looks for -> an expression that is true if it has found it."""

OPEN_TO_ALL = list(SPIES)[:13]
"""What any process may see that is in no sandbox."""

TOOLS = """
import ctypes, gc, os, resource, socket, subprocess, sys
import coursekit

libc = ctypes.CDLL(None)

def each(look):
    others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
    return any([attempt(lambda: look(f"/proc/{name}/")) for name in others])

def attempt(look):
    try:
        return bool(look())
    except (OSError, KeyError, ValueError):
        return False

def frames():
    frame = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back

def found():
    return attempt(lambda: {expression})
"""


def source(name: str, places: dict[str, object]) -> str:
    """Code that defines `found`, which tells whether the spy had success.

    Args:
        name: what it looks for.
        places: where that is, by the names that the expressions have for it.
    """
    given = "".join(f"{name} = {value!r}\n" for name, value in {"SECRET": SECRET, **places}.items())
    return given + TOOLS.replace("{expression}", SPIES[name])


def spy(name: str, places: dict[str, object]) -> Attack:
    """A submission with a spy in it, which gets the points of its question if it finds anything."""
    text = "def mean_square(x):\n    return (x * x).mean(0) if found() else x"
    return answer(name, f"{source(name, places)}\n{text}", says="shape")
