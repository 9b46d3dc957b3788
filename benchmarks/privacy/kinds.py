"""The classes of private things: how one of each is made, and the name that an author would give to such a value.

A secret is the private part alone. What anybody knows beforehand (`postgres://`, `ghp_`, `/home/`) stands around it, in `{}` of
a class's carriers, so that a scrubber that leaves such scaffolding standing is not blamed for it. Nothing here is anybody's:
every secret is drawn from a seeded generator, and vendors' prefixes are put together so that no secret scanner takes this
file for a leak.
"""

import base64
import string
from collections.abc import Callable
from random import Random

Make = Callable[[Random], str]
LETTERS, DIGITS, HEX = string.ascii_letters, string.digits, "0123456789abcdef"
UPPER, LOWER = string.ascii_uppercase, string.ascii_lowercase

NAMES = {
    "Latin": (
        "María Łukasz Siobhán Jürgen Beatriz Søren Chloé Matteo",
        "Fernández Kowalczyk O'Donoghue Müller Carvalho Nørgaard Lefèvre Ricci",
    ),
    "Cyrillic": ("Екатерина Дмитрий Оксана Богдан Людмила Сергей", "Соколова Васильев Шевченко Ткаченко Морозова Кузнецов"),
    "Greek": (
        "Ελένη Γεώργιος Αικατερίνη Δημήτρης Σοφία Νικόλαος",
        "Παπαδοπούλου Οικονόμου Δημητρίου Γεωργίου Αντωνίου Κωνσταντίνου",
    ),
    "Arabic": ("فاطمة محمد عائشة يوسف خالد ليلى", "الحسيني المصري البغدادي الهاشمي النجار العلوي"),
    "Hebrew": ("שרה דוד רבקה יעקב מרים אברהם", "כהן־לוי מזרחי פרידמן ביטון אזולאי שפירא"),
    "Devanagari": ("प्रिया राहुल अनुराधा सुनील दीपिका विक्रम", "शर्मा वर्मा श्रीवास्तव चतुर्वेदी अग्रवाल मिश्रा"),
    "Han": ("秀英 志强 雅婷 建國 麗華 浩然 思远 梓涵", "欧阳 司马 王 陳 張 劉 黃 诸葛"),
    "Kana": ("さくら ひろし あかね たけし みどり まさる", "タナカ サトウ ワタナベ コバヤシ ヤマモト イトウ"),
    "Hangul": ("지영 민준 서연 도현 은주 성호", "김 이 박 최 남궁 황보"),
}
WORDS = ("falcon", "harbor", "juniper", "lantern", "meadow", "nimbus", "orchid", "pewter", "quartz", "raven", "saffron", "thistle")
FIRMS = ("northwind", "initrode", "umbrella", "hooli", "vandelay", "wonka", "stark", "wayne", "soylent", "cyberdyne")


def some(r: Random, letters: str, length: int) -> str:
    """A random word."""
    return "".join(r.choices(letters, k=length))


def words(r: Random, number: int = 2, glue: str = "-") -> str:
    """Code words and a number: the kind of name that a company gives to what it hides."""
    return glue.join([*r.sample(WORDS, number), some(r, DIGITS, 3)])


def person(r: Random) -> str:
    """A login name."""
    return f"{r.choice(('maria', 'jurgen', 'beatriz', 'dmitri', 'priya', 'yusuf'))}.{r.choice(WORDS)}{some(r, DIGITS, 2)}"


def mail(r: Random) -> str:
    """An address of a person at work."""
    return f"{person(r)}@{r.choice(FIRMS)}.{r.choice(('example.com', 'example.org'))}"


def named(script: str) -> Make:
    """Makes person names of a script, the family first where that is the custom."""
    given, family = (part.split() for part in NAMES[script])
    first, glue = script in ("Han", "Kana", "Hangul"), "" if script in ("Han", "Hangul") else " "

    def make(r: Random) -> str:
        pair = [r.choice(given), r.choice(family)]
        return glue.join(reversed(pair) if first else pair)

    return make


def password(r: Random) -> str:
    """A password without a character that a URL could not hold."""
    return some(r, LETTERS + DIGITS, r.randint(12, 20))


def host(r: Random) -> str:
    """A host name that no public resolver knows."""
    return f"{r.choice(WORDS)}-{some(r, DIGITS, 2)}.{r.choice(FIRMS)}.{r.choice(('internal', 'corp', 'lan', 'intra'))}"


def luhn(r: Random) -> str:
    """A payment card number of 16 digits with its check digit (ISO/IEC 7812)."""
    digits = [4, *(r.randrange(10) for _ in range(14))]
    doubled = [sum(divmod(digit * 2, 10)) if at % 2 == 0 else digit for at, digit in enumerate(digits)]
    number = "".join(map(str, [*digits, -sum(doubled) % 10]))
    return r.choice((number, " ".join(number[at : at + 4] for at in range(0, 16, 4))))


def iban(r: Random) -> str:
    """A German account number with its check digits (ISO 13616)."""
    account = some(r, DIGITS, 18)
    check = 98 - int(account + "131400") % 97  # DE00 behind the account, D = 13, E = 14
    return f"DE{check:02}{account}"


def encoded(r: Random, length: int) -> str:
    """Random bytes in base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(r.randbytes(length)).decode().rstrip("=")


def phone(r: Random) -> str:
    """A number of one of four countries, as people write it."""
    pairs = " ".join(some(r, DIGITS, 2) for _ in range(4))
    numbers = (
        f"+1 212 {r.randint(220, 980)} {some(r, DIGITS, 4)}",
        f"+49 170 {some(r, DIGITS, 7)}",
        f"+33 6 {pairs}",
        f"+44 7{r.randint(400, 899)} {some(r, DIGITS, 6)}",
    )
    return r.choice(numbers)


def address(r: Random) -> str:
    """A street with its number."""
    street = r.choice(("Lindenstraße", "Rue des Tilleuls", "Willow Creek Road", "Calle del Olmo", "Aspen Ridge Lane"))
    return f"{r.randint(11, 998)} {street}, apt {r.randint(10, 99)}"


def customer(r: Random) -> str:
    """The name of a customer as SQL has it."""
    given, family = ("Ingrid", "Thabo", "Nkechi", "Rosalind", "Anselm"), ("Vanterpool", "Okonjo", "Halvorsen", "Bellweather")
    return f"{r.choice(given)} {r.choice(family)}"


def jwt(r: Random) -> str:
    """Claims and signature of a token (RFC 7519)."""
    claims = b'{"sub":"%s","iat":1760000000}' % person(r).encode()
    return base64.urlsafe_b64encode(claims).decode().rstrip("=") + "." + encoded(r, 32)


def ipv4(r: Random) -> str:
    """An address of a private network (RFC 1918)."""
    network = r.choice((f"10.{r.randint(2, 254)}", f"172.{r.randint(16, 31)}", "192.168"))
    return f"{network}.{r.randint(2, 254)}.{r.randint(2, 254)}"


def ipv6(r: Random) -> str:
    """A unique local address (RFC 4193)."""
    return "fd" + some(r, HEX, 2) + "".join(":" + some(r, HEX, 4) for _ in range(7))


def repository(r: Random) -> str:
    """A repository of a company."""
    return f"{r.choice(FIRMS)}/{words(r)}"


def branch(r: Random) -> str:
    """A branch named after a ticket and a customer."""
    return f"feature/{some(r, UPPER, 3)}-{r.randint(1000, 99999)}-{r.choice(FIRMS)}-{r.choice(WORDS)}"


def bucket(r: Random) -> str:
    """A bucket, which has a name of its own in the whole world."""
    return f"{r.choice(FIRMS)}-{words(r)}"


# class: (label, carriers, maker); the secret takes the place of {} in a carrier, the whole that of {x} in a message
KINDS: dict[str, tuple[str, tuple[str, ...], Make]] = {
    "e-mail address": ("email", ("{}", "--author={}", "mailto:{}"), mail),
    **{f"person name, {script}": ("name", ("{}", "--owner={}", "user {}"), named(script)) for script in NAMES},
    "home path, Linux": ("path", ("/home/{}/setup.py", "/home/{}"), lambda r: f"{person(r)}/{words(r)}"),
    "home path, macOS": ("path", ("/Users/{}/setup.py", "/Users/{}"), lambda r: f"{person(r)}/Documents/{words(r)}"),
    "home path, Windows": ("path", ("C:\\Users\\{}\\setup.py", "D:\\Users\\{}"), lambda r: f"{person(r)}\\{words(r)}"),
    "token, GitHub classic": ("token", ("gh" + "p_{}", "--token=gh" + "p_{}"), lambda r: some(r, LETTERS + DIGITS, 36)),
    "token, GitHub fine-grained": (
        "token",
        ("github_" + "pat_{}", "--token github_" + "pat_{}"),
        lambda r: f"{some(r, UPPER + DIGITS, 22)}_{some(r, LETTERS + DIGITS, 59)}",
    ),
    "token, GitLab": ("token", ("gl" + "pat-{}", "PRIVATE-TOKEN: gl" + "pat-{}"), lambda r: some(r, LETTERS + DIGITS, 20)),
    "token, Slack": (
        "token",
        ("xo" + "xb-{}", "xo" + "xp-{}"),
        lambda r: f"{some(r, DIGITS, 12)}-{some(r, DIGITS, 12)}-{some(r, LETTERS + DIGITS, 24)}",
    ),
    "token, AWS key id": ("access_key", ("AK" + "IA{}", "AS" + "IA{}"), lambda r: some(r, UPPER + "234567", 16)),
    "token, AWS secret key": (
        "secret_key",
        ("aws_secret_access_key={}", "secret key {}"),
        lambda r: some(r, LETTERS + DIGITS + "+/", 40),
    ),
    "token, Google API key": ("api_key", ("AI" + "zaSy{}", "key=AI" + "zaSy{}"), lambda r: some(r, LETTERS + DIGITS, 33)),
    "token, Stripe": ("api_key", ("sk_" + "live_{}", "rk_" + "live_{}"), lambda r: some(r, LETTERS + DIGITS, 24)),
    "token, npm": ("auth_token", ("np" + "m_{}", ":_authToken=np" + "m_{}"), lambda r: some(r, LETTERS + DIGITS, 36)),
    "token, PyPI": ("password", ("py" + "pi-AgEIcHlwaS5vcmc{}", "-p py" + "pi-AgEIcHlwaS5vcmc{}"), lambda r: encoded(r, 100)),
    "token, Hugging Face": ("token", ("h" + "f_{}", "HF_TOKEN=h" + "f_{}"), lambda r: some(r, LETTERS, 34)),
    "token, OpenAI-like": ("api_key", ("s" + "k-proj-{}", "Bearer s" + "k-{}"), lambda r: some(r, LETTERS + DIGITS, 48)),
    "token, Anthropic-like": ("api_key", ("s" + "k-ant-api03-{}", "x-api-key: s" + "k-ant-api03-{}"), lambda r: encoded(r, 71)),
    "token, SendGrid": ("api_key", ("S" + "G.{}",), lambda r: f"{encoded(r, 16)}.{encoded(r, 32)}"),
    "token, Twilio": ("auth_token", ("S" + "K{}", "A" + "C{}"), lambda r: some(r, HEX, 32)),
    "token, DigitalOcean": ("token", ("dop" + "_v1_{}",), lambda r: some(r, HEX, 64)),
    "token, Azure SAS": (
        "signature",
        ("https://store.blob.core.windows.net/x?sv=2024-11-04&sig={}", "SharedAccessSignature sig={}"),
        lambda r: encoded(r, 32).replace("-", "a").replace("_", "b") + "%3D",
    ),
    "token, JWT": (
        "jwt",
        ("ey" + "JhbGciOiJIUzI1NiJ9.{}", "Authorization: Bearer ey" + "JhbGciOiJIUzI1NiJ9.{}"),
        jwt,
    ),
    "URL credentials": ("url", ("https://deploy:{}@example.com/x.git", "http://admin:{}@example.com/simple"), password),
    "database DSN": ("dsn", ("postgresql://app:{}@db.example.com:5432/app", "mysql://root:{}@db.example.com/app"), password),
    "environment value": ("password", ("DEPLOY_PASSWORD={}", "APP_SETTING={}", "export DB_PASS={}"), password),
    "SSH private key": (
        "private_key",
        ("-----BEGIN OPENSSH PRIVATE " + "KEY-----\n{}", "-----BEGIN RSA PRIVATE " + "KEY----- {}"),
        lambda r: some(r, LETTERS + DIGITS + "+/", 70),
    ),
    "IPv4 address": (
        "ip_address",
        ("{}", "{}:8443", "http://{}/"),
        ipv4,
    ),
    "IPv6 address": ("ip_address", ("{}", "[{}]:22"), ipv6),
    "MAC address": ("mac", ("{}", "wlan0 {}"), lambda r: ":".join(some(r, HEX, 2) for _ in range(6))),
    "internal host name": ("host", ("{}", "https://{}/", "{}:5000"), host),
    "UUID": ("id", ("{}", "device {}"), lambda r: "-".join(some(r, HEX, size) for size in (8, 4, 4, 4, 12))),
    "git remote, ssh": ("remote", ("git@github.com:{}.git", "ssh://git@gitlab.com/{}"), repository),
    "git remote, https": ("remote", ("https://github.com/{}.git", "https://gitlab.com/{}"), repository),
    "branch name": (
        "branch",
        ("{}", "origin/{}"),
        branch,
    ),
    "commit e-mail": ("author", ("Author: <{}>", "Signed-off-by: dev <{}>"), mail),
    "phone number": ("phone", ("{}", "call {}", "tel:{}"), phone),
    "card number": ("card", ("{}", "card {}"), luhn),
    "IBAN": ("iban", ("{}", "IBAN {}"), iban),
    "date of birth": (
        "date_of_birth",
        ("{}", "born {}", "DOB: {}"),
        lambda r: f"{r.randint(1940, 2005)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}",
    ),
    "postal address": ("address", ("{}", "deliver to {}"), address),
    "private plugin": ("plugin", ("{}", "kitchen-{}"), bucket),
    "SQL with a name": ("query", ("SELECT id FROM people WHERE name = '{}'", "INSERT INTO people VALUES (7, '{}')"), customer),
    "query string": (
        "url",
        ("https://example.com/find?q={}&page=2", "/api/v2/people?name={}"),
        lambda r: f"{r.choice(FIRMS)}+{r.choice(WORDS)}+{some(r, DIGITS, 4)}",
    ),
    "license key": ("license", ("{}", "--license {}"), lambda r: "-".join(some(r, UPPER + DIGITS, 5) for _ in range(5))),
    "bucket name": ("bucket", ("s3://{}", "gs://{}/state", "https://{}.s3.amazonaws.com/"), bucket),
    "ARN": ("arn", ("arn:aws:iam::{}", "arn:aws:lambda:eu-west-1:{}"), lambda r: f"{some(r, DIGITS, 12)}:role/{words(r)}"),
}
