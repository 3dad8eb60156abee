"""Which names in a configuration mean a secret, and which values cannot be one. Pure."""

import re
from enum import Enum

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_STRONG = frozenset(
    {
        "pass", "password", "passwords", "passwd", "passphrase", "passcode", "passwort", "pwd", "pw", "psk", "wep",
        "secret", "secrets", "token", "tokens", "apikey", "credential", "credentials", "authorization", "otp", "totp",
        "cookie", "bearer", "jwt",
    }
)  # fmt: skip
_STRONG_WITHIN = re.compile(
    r"password|passwd|passphrase|passwort|secret|token|apikey|api[-_.]key|access[-_.]?key|private[-_.]?key|preshared"
    r"|pre[-_.]shared|bindpw|rootpw|requirepass|masterauth|credential|keyphrase|encryption[-_.]?key|auth[-_.]?key"
    r"|signing[-_.]?key|master[-_.]?key|shared[-_.]?key|account[-_.]?key|secur(?:e|ity)[-_.]?key",
    re.IGNORECASE,
)
_WEAK = frozenset(
    {"key", "keys", "auth", "session", "pin", "salt", "seed", "nonce", "cert", "code", "hash", "signature"}
)
_OF_A_PLACE = frozenset(
    {
        "file",
        "files",
        "path",
        "dir",
        "directory",
        "command",
        "program",
        "socket",
        "url",
        "uri",
        "type",
        "algorithm",
    }
)
_OF_A_NUMBER = frozenset(
    {
        "ttl", "age", "days", "day", "length", "len", "min", "max", "timeout", "expiry", "expires", "retries", "tries",
        "size", "bits", "count", "lifetime", "interval", "seconds", "warn", "rounds", "history", "minlen",
    }
)  # fmt: skip
_PLAIN = frozenset(
    {
        "yes", "no", "true", "false", "on", "off", "none", "null", "nil", "enabled", "disabled", "default", "any", "all",
        "prohibit-password", "without-password", "forced-commands-only", "required", "requisite", "sufficient",
        "optional", "include", "substack", "files", "systemd", "compat", "sss", "ldap", "nis", "winbind", "publickey",
        "password", "keyboard-interactive", "ask", "x", "*", "!", "!*", "!!", "~", "{}", "[]", "()", "|", ">", "",
    }
)  # fmt: skip
_RUN = re.compile(r"[A-Za-z0-9]+")
_SPOKEN = re.compile(
    r"[0-9]{0,5}(?:(?:[A-Z]?[a-z]{2,14}(?![a-z])|[A-Z]{1,14}(?![a-z])|[a-z](?![a-z])){1,5}[0-9]{0,5})?(?:[a-z]{1,3})?"
)
_NUMBER = re.compile(r"[-+]?\d{1,9}[a-zA-Z%]?")


class Meaning(Enum):
    """What a name says of its value."""

    SECRET = "secret"  # noqa: S105 - a word
    PERHAPS = "perhaps"
    PLACE = "place"
    NUMBER = "number"
    NOTHING = "nothing"


def meaning(name: str) -> Meaning:
    """Return what a key's name says of its value: `db_password`, `AWSSecretKey`, `key`, `passwordFile`, `PASS_MAX_DAYS`."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words:
        return Meaning.NOTHING
    if _STRONG_WITHIN.search(name) or not _STRONG.isdisjoint(words):
        if words[-1] in _OF_A_PLACE:
            return Meaning.PLACE
        return Meaning.NUMBER if not _OF_A_NUMBER.isdisjoint(words) else Meaning.SECRET
    return (
        Meaning.PERHAPS
        if words[-1] in _WEAK or (words[-1].isdigit() and words[-2:-1] == ["key"])
        else Meaning.NOTHING
    )


def is_plain(value: str) -> bool:
    """Tell whether a value is one of the few words that programs themselves know: `yes`, `none`, `required`."""
    return all(word.strip("\"'`,;").lower() in _PLAIN for word in value.split())


def is_number(value: str) -> bool:
    """Tell whether a value is a small number, with a unit at the most."""
    return _NUMBER.fullmatch(value.strip("\"'`,; ")) is not None


def is_spoken(value: str) -> bool:
    """Tell whether a value is made of what people write: words, short numbers, paths of such. A guess, and a strict one.

    Chance makes such runs of letters rarely: in a random text of 20 letters and digits a digit stands within.
    """
    return all(_SPOKEN.fullmatch(run) for run in _RUN.findall(value))


def is_public(value: str, name: Meaning) -> bool:
    """Tell whether the value of a key with such a name may be shown."""
    if is_plain(value):
        return True
    match name:
        case Meaning.SECRET:
            return False
        case Meaning.NUMBER:
            return is_number(value)
        case Meaning.PERHAPS | Meaning.PLACE:
            return is_spoken(value)
        case Meaning.NOTHING:
            return True
