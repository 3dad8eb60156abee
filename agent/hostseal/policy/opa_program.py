"""Runs the opa program over bundles: builds, verifies, and says whether one uses more than it may."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hostseal.errors import PolicyError
from hostseal.policy.signing import Named

SECONDS = 60


class OpaProgram:
    """One opa program; PolicyError when there is none."""

    def __init__(self, opa: Path) -> None:
        found = shutil.which(opa)
        if found is None:
            raise PolicyError(
                f"{opa} is not a program", hint="`make tools` builds OPA; HOSTSEAL_OPA names another one"
            )
        self._program = str(Path(found).absolute())

    def build(self, folder: Path, out: Path, revision: str, *more: str) -> None:
        """Make a bundle of what is in `folder`; PolicyError when OPA does not take it, or takes more than SECONDS."""
        self._run(
            ["build", "--bundle", ".", "--revision", revision, "--output", str(out), *more],
            folder,
            "OPA does not take these policies",
        )

    def verify(self, bundle: Path, key: Named, work: Path) -> None:
        """Check that `bundle` is whole and signed by `key`; PolicyError when it is not."""
        public = work / "verified-by.pub"
        public.write_bytes(key.pem)
        words = ["--verification-key", str(public), "--signing-alg", key.algorithm]
        self._run(
            ["build", "--bundle", str(bundle.resolve()), "--output", str(work / "verified"), *words],
            work,
            f"{bundle.name} is not a bundle that the key {key.id} signed",
        )

    def limit(self, bundle: Path, capabilities: Path) -> None:
        """Check that what is in `bundle` uses no more than OPA's file `capabilities` has; PolicyError when it does."""
        self._run(
            ["check", "--bundle", str(bundle.resolve()), "--capabilities", str(capabilities)],
            bundle.resolve().parent,
            f"{bundle.name} is no bundle, or uses what no policy may",
        )

    def _run(self, words: Sequence[str], folder: Path, refusal: str) -> None:
        try:
            done = subprocess.run(
                [self._program, *words],
                cwd=folder,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PolicyError(f"opa {words[0]} took more than {SECONDS} s", hint=self._program) from error
        except OSError as error:
            raise PolicyError(f"opa cannot be run: {error}", hint=self._program) from error
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-2000:]
            raise PolicyError(f"{refusal}: {said}", hint=self._program)
