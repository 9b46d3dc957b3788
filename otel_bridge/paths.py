"""Where things live on this machine (XDG base directories); creates nothing but what `opened` is asked for."""

import os

try:
    from posix import environ as environ  # the dict of bytes behind os.environ: a miss there costs 9 K instructions, here 0.2 K
except ImportError:  # Windows: everything imports, nobody has chosen, nothing is recorded
    environ = {}


def _home(variable, fallback):
    # type: (bytes, str) -> str
    value = environ.get(variable, b"")
    if value[:1] == b"/":  # the XDG specification: a relative path is invalid and must be ignored
        return os.fsdecode(value)
    value = environ.get(b"HOME", b"")
    if value[:1] != b"/":
        raise FileNotFoundError("HOME is not set")
    return os.fsdecode(value) + fallback


def choice_for_all():
    # type: () -> str
    """The file that holds the person's choice for all products."""
    return _home(b"XDG_CONFIG_HOME", "/.config") + "/otel-bridge/choice"


def state_dir(product):
    # type: (str) -> str
    """The folder of everything kept about one product."""
    return _home(b"XDG_STATE_HOME", "/.local/state") + "/otel-bridge/" + product


def mine(folder):
    # type: (str) -> bool
    """Whether this process may keep things in a folder, there already or not: never in somebody else's, not even as root.

    Raises OSError when that cannot be known.
    """
    me = os.geteuid()
    try:
        return os.stat(folder).st_uid == me
    except FileNotFoundError:
        return me != 0 or mine(folder[: folder.rindex("/")] or "/")  # `sudo` in a person's home


def opened(path, flags):
    # type: (str, int) -> int
    """A descriptor of a file of ours, made with its folder when missing, readable by the person alone; never through a link.

    A named pipe in its place is an OSError: without O_NONBLOCK it would stop the host until somebody reads it.
    """
    flags |= os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        _make(path[: path.rindex("/")])
        return os.open(path, flags, 0o600)


def _make(folder):
    # type: (str) -> None
    """Make a folder for the person alone, and those above it that are missing: `os.makedirs` leaves these to the umask."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except FileNotFoundError:
        _make(folder[: folder.rindex("/")])
        _make(folder)


def write(path, flag, text):
    # type: (str, int, str) -> None
    """Write a file of ours with one write, all of it or nothing; `flag` is os.O_APPEND or os.O_TRUNC. Raises OSError."""
    data = text.encode()
    fd = opened(path, os.O_WRONLY | flag)
    try:
        if (done := os.write(fd, data)) != len(data):  # a disk that has filled up
            os.ftruncate(fd, os.fstat(fd).st_size - done)
            raise OSError(28, f"No space left on device for {path}")
    finally:
        os.close(fd)


def rewrite(path, text):
    # type: (str, str) -> None
    """Put a small file in the place of another, whole or not at all. Raises OSError."""
    new = f"{path}.{os.getpid()}.new"
    try:
        write(new, os.O_TRUNC, text)
        os.replace(new, path)
    except OSError:
        if os.path.lexists(new):  # a disk that is full for weeks would fill with these
            os.unlink(new)
        raise


def read_flat(path, trusted=""):
    # type: (str, str) -> dict[str, str] | None
    """The `key = value` lines of a file; None when there is no such file.

    With `trusted` "person" it must belong to the person or to root, with "root" to root, and nobody else may write it, else
    PermissionError. Raises OSError when it cannot be read, UnicodeDecodeError when it is not text.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a named pipe in its place must not stop the host
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if trusted:
            held = os.fstat(fd)
            if held.st_uid != 0 and (trusted == "root" or held.st_uid != os.geteuid()):
                raise PermissionError("it belongs to somebody else")
            if trusted == "root" and held.st_mode & 0o022:
                raise PermissionError("others than root can write it")
        text = os.read(fd, 65536).decode()
    finally:
        os.close(fd)
    pairs = {}
    for line in text.split("\n"):
        key, equals, value = line.partition("=")
        if equals and key[:1] != "#":
            pairs[key.strip()] = value.strip()
    return pairs
