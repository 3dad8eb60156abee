"""Makes each thing go wrong once, and asks each gate meanwhile."""

import json
import subprocess
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from integration.failures.faults import FAULTS, Address, healthy
from integration.failures.gates import GATES
from integration.failures.row import Place, Row


class Observatory:
    """Keeps what it has begun, and ends it when the context is left."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._begun: dict[str, Address] = {}
        self._seen: dict[tuple[str, str], Row] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def row(self, gate: str, fault: str) -> Row:
        """Return what is seen of the gate while this is wrong; each is looked at once."""
        if (gate, fault) not in self._seen:
            at = self._address(fault)
            folder = self._made(f"{gate}-{fault}")
            self._seen[gate, fault] = GATES[gate][1](
                Place(folder, at, self._address("none"), self._authority)
            )
        return self._seen[gate, fault]

    def rows(self) -> dict[tuple[str, str], Row]:
        """Return all there are."""
        return {(gate, fault): self.row(gate, fault) for gate in GATES for fault in FAULTS}

    def _address(self, fault: str) -> Address:
        if fault not in self._begun:
            begin = healthy if fault == "none" else FAULTS[fault].begin
            self._begun[fault] = self._stack.enter_context(begin(self._made(f"opa-{fault}"), self._site))
        return self._begun[fault]

    @cached_property
    def _authority(self) -> Path:
        path = self._folder / "authority"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True, timeout=30)
        return path

    @cached_property
    def _site(self) -> dict[str, Any]:
        said = subprocess.run(
            ["ssh-keygen", "-lf", f"{self._authority}.pub"], capture_output=True, text=True, check=True
        )
        site: dict[str, Any] = json.loads(Path(__file__).with_name("site.json").read_bytes())
        site["break_glass"] = {"authorities": [said.stdout.split()[1]]}
        return site

    def _made(self, name: str) -> Path:
        path = self._folder / name
        path.mkdir()
        return path
