"""What the agent needs now and then is held by processes of their own, or fetched when it is asked for."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("library", ["cryptography", "detect_secrets", "requests", "ansible_runner"])
def test_the_agent_begins_without(library: str) -> None:
    code = f"import sys, hostseal.cli.agent, hostseal.daemon; print([m for m in sys.modules if m.split('.')[0] == {library!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
