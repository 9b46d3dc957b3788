"""Whom a sender trusts, and who it says it is: the files of the settings, checked before anything is sent."""

import os
import ssl

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from ..errors import SettingsError
from ..settings import setting, variable


def context() -> ssl.SSLContext:
    """TLS as the settings have it: their certificates or the public ones, never the user's own variables. Raises SettingsError."""
    made = create_urllib3_context()
    made.check_hostname, made.verify_mode = True, ssl.CERT_REQUIRED
    authorities = setting("ca_file")
    place = authorities or DEFAULT_CA_BUNDLE_PATH
    with _Naming("ca_file", place, "no certificates in PEM"):
        made.load_verify_locations(**{"capath" if os.path.isdir(place) else "cafile": place})
    certificate, key = setting("client_cert_file"), setting("client_key_file")
    if key and not certificate:
        raise SettingsError(f"{variable('client_key_file')}: a key without a certificate; set {variable('client_cert_file')} too")
    if certificate:
        for name, path in (("client_cert_file", certificate), ("client_key_file", key or certificate)):
            with _Naming(name, path, ""), open(path, "rb"):  # OpenSSL does not say which of two files is missing
                pass
        with _Naming("client_cert_file", certificate, "no certificate with its key, in PEM and without a passphrase"):
            made.load_cert_chain(certificate, key or None, password=_nothing)  # without a word OpenSSL asks on the terminal
    return made


def contents() -> tuple[bytes, bytes | None, bytes | None]:
    """Authorities, key and certificate as gRPC takes them, in PEM; raises SettingsError for what `context` would not take."""
    context()
    authorities = setting("ca_file") or DEFAULT_CA_BUNDLE_PATH
    certificate = setting("client_cert_file")
    key = setting("client_key_file") or certificate
    with _Naming("ca_file", authorities, ""), open(authorities, "rb") as file:  # no folder either: gRPC takes none
        trusted = file.read()
    if not certificate:
        return trusted, None, None
    with open(key, "rb") as key_file, open(certificate, "rb") as certificate_file:
        return trusted, key_file.read(), certificate_file.read()


def _nothing() -> str:
    return ""


class _Naming:
    """Turns what the system says of a file into one line that names the setting."""

    def __init__(self, name: str, path: str, kind: str) -> None:
        self.name, self.path, self.kind = name, path, kind

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, ssl.SSLError):
            raise SettingsError(f"{variable(self.name)}: {self.path} holds {self.kind}") from None
        if isinstance(problem, OSError):
            raise SettingsError(f"{variable(self.name)}: {self.path} cannot be read: {problem.strerror}") from None
