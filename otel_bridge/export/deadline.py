"""Connections that one deadline bounds altogether: names to addresses, TLS, headers, an answer that drips.

A timeout of `requests` is one of each single read, so a server that says a byte a second, or 100-continue for ever, holds a
sender as long as it likes. Here each operation of a socket is given what is left. Nothing of that needs a thread or a signal.
"""

import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

# The kernel closes the socket of a process that was killed, and goes on delivering what it had accepted: up to a whole
# batch, after the person said stop. SO_LINGER with 0 seconds drops that and resets the connection (socket(7)). An ordinary
# close comes after the answer, when there is nothing left to drop.
RESETTING = (*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)))


class Deadline:
    """When the request that is under way has to be over, and what there is to do while its server thinks."""

    def __init__(self) -> None:
        self.at = 0.0
        self.meanwhile: "Callable[[], object] | None" = None

    def begin(self, seconds: float) -> None:
        """Give the next request so many seconds from now."""
        self.at = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left; raises TimeoutError when none are."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("timed out")
        return seconds


if TYPE_CHECKING:
    from collections.abc import Callable

    _Socket = socket.socket
else:
    _Socket = object


class _Bounded(_Socket):
    """What is the same for a plain socket and one that speaks TLS."""

    deadline: Deadline

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read within what is left."""
        self.settimeout(self.deadline.left())
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any) -> int:
        """Write some within what is left."""
        self.settimeout(self.deadline.left())
        return super().send(*args)

    def sendall(self, *args: Any) -> None:
        """Write all within what is left."""
        self.settimeout(self.deadline.left())
        super().sendall(*args)


class _Plain(_Bounded, socket.socket):
    pass


class _Secure(_Bounded, ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        """Agree on keys within what is left."""
        self.settimeout(self.deadline.left())
        super().do_handshake(block)


def pools(deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    """The connection pools, by scheme, whose sockets keep to a deadline."""

    class Plain(_Plain):
        pass

    Plain.deadline = deadline

    class Connecting:
        def _new_conn(self: Any) -> socket.socket:
            return _connected(self, Plain)

        def getresponse(self: Any) -> Any:
            if deadline.meanwhile is not None:
                deadline.meanwhile()
            return super().getresponse()  # type: ignore[misc]

    class Connection(Connecting, HTTPConnection):
        pass

    class SecureConnection(Connecting, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


def secure(context: ssl.SSLContext, deadline: Deadline) -> None:
    """Make the sockets of a TLS context keep to a deadline."""
    context.sslsocket_class = type("Secure", (_Secure,), {"deadline": deadline})


def _connected(connection: HTTPConnection, kind: type[_Plain]) -> socket.socket:
    """A socket to one address of a host: each gets its share of what is left, so that a dead IPv6 does not keep IPv4 waiting.

    How long the resolver takes is the system's own matter: no time bounds `getaddrinfo` (resolv.conf(5) has it as 5 s a try).
    """
    problem: OSError = OSError("no address")
    try:
        found = socket.getaddrinfo(connection._dns_host, connection.port, type=socket.SOCK_STREAM)
        for number, (family, type_, protocol, _, address) in enumerate(found):
            sock = kind(family, type_, protocol)
            try:
                for option in connection.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(kind.deadline.left() / (len(found) - number))
                sock.connect(address)
                return sock
            except OSError as one:
                sock.close()
                problem = one
    except (OSError, UnicodeError) as one:  # UnicodeError: a label of the name is empty or too long
        problem = one if isinstance(one, OSError) else socket.gaierror(socket.EAI_NONAME, "no such host")
    if isinstance(problem, TimeoutError):
        raise ConnectTimeoutError(connection, "connecting has timed out") from problem
    raise NewConnectionError(connection, f"no connection: {problem}") from problem
