"""YAML as people write cases in: what JSON has, and no more. A moment stays the text that it is in an event."""

from typing import Any

import yaml

_MOMENT = "tag:yaml.org,2002:timestamp"


class _Plain(yaml.SafeLoader):
    """Makes no moments."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in some if tag != _MOMENT]
    for first, some in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(content: bytes) -> Any:
    """Return what one YAML document holds; ValueError says in one line why it cannot be read."""
    try:
        return yaml.load(content, _Plain)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"this is not YAML: {' '.join(str(error).split())}") from error
