"""Runs OPA and Regal over staged policies, and reads what they say."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from hostseal.errors import PolicyError
from hostseal.policy.capabilities import FORBIDDEN
from hostseal.policy.problem import Problem
from hostseal.policy.staging import Staged
from hostseal.trial import opa_child

SECONDS = 600
TEST_SECONDS = 60
COVERAGE = 95.0
_FAILED = re.compile(r"^(data\.\S+): (FAIL|ERROR)")
_HEADING = re.compile(r"^(\S+\.rego(?::\d+)?):$")


def formatted(staged: Staged) -> Iterator[Problem]:
    """Yield the files that `opa fmt` would write otherwise."""
    done = _opa(staged, "fmt", "--list", "--fail", ".")
    for name in done.stdout.split():
        yield Problem(
            where=staged.real(name), what="not formatted", hint=f"opa fmt --write {staged.real(name)}"
        )
    if done.stderr.strip() and "unexpected diff" not in done.stderr:
        yield Problem(where="", what=staged.named(done.stderr.strip()))


def compiled(staged: Staged) -> Iterator[Problem]:
    """Yield what the strict compiler says, by the schemas and by what policies may call."""
    done = _opa(
        staged, "check", "--strict", "--format", "json", "--schema", str(staged.schemas),
        "--capabilities", str(staged.capabilities), ".",
    )  # fmt: skip
    if done.returncode == 0:
        return
    for error in _json(done, "opa check").get("errors", ()):
        yield _compiler(staged, error)


def linted(staged: Staged) -> Iterator[Problem]:
    """Yield what Regal finds."""
    done = _run(staged, [str(_regal()), "lint", "--format", "json", "."])
    for found in _json(done, "regal").get("violations") or ():
        at = found.get("location", {})
        documented = next((one["ref"] for one in found.get("related_resources", ())), "")
        where = f"{staged.real(at['file'])}:{at['row']}" if "file" in at else ""
        yield Problem(where=where, what=f"{found['description']} ({found['title']})", hint=documented)


def tested(staged: Staged) -> Iterator[Problem]:
    """Yield the tests of Hostseal's own policies that fail, or else that they do not cover enough of them."""
    report = yield from _covered(staged)
    if report and report["coverage"] < COVERAGE:
        what = f"the tests cover {report['coverage']:.1f} % of all lines, not {COVERAGE:.0f} %"
        yield Problem(where="", what=what)


def tested_own(staged: Staged) -> Iterator[Problem]:
    """Yield the tests of one's own rules that fail, or else what they do not cover of each rule.

    Only these: Hostseal's tests say what is decided where there is no other rule.
    """
    report = yield from _covered(staged, "--run", _own_tests(staged))
    files = {name.removeprefix("./"): file for name, file in (report or {}).get("files", {}).items()}
    for name in sorted(staged.rules) if report else ():
        file = files.get(name, {})
        if file.get("coverage", 0) < COVERAGE:
            rows = ", ".join(_rows(one) for one in file.get("not_covered", ()))
            first = next((f":{one['start']['row']}" for one in file.get("not_covered", ())), "")
            yield Problem(
                where=f"{staged.real(name)}{first}",
                what=f"its test covers {file.get('coverage', 0):.1f} %, not {COVERAGE:.0f} %",
                hint=f"test what is at line {rows}" if rows else "write a test of it",
            )


def _covered(staged: Staged, *chosen: str) -> Generator[Problem, None, dict[str, Any] | None]:
    done = _opa(
        staged, "test", "--timeout", f"{TEST_SECONDS}s", "--coverage", "--coverage-runs", "", *chosen,
        "--capabilities", str(staged.capabilities), "--format", "json", ".",
    )  # fmt: skip
    if done.returncode:
        yield from _failed(staged, done.stdout + done.stderr)
        return None
    return _json(done, "opa test")


def _own_tests(staged: Staged) -> str:
    names = sorted({PurePosixPath(name).parent.name for name in staged.rules})
    return rf"data\.hostseal\.rules\.({'|'.join(names)})_test\."


def inspected(staged: Staged) -> dict[str, Any]:
    """Return what `opa inspect` says: packages, annotations. PolicyError when it cannot."""
    done = _opa(staged, "inspect", "--annotations", "--format", "json", "hostseal")
    if done.returncode:
        raise PolicyError(f"opa inspect: {staged.named(done.stderr.strip())}")
    return _json(done, "opa inspect")


def run_tests(staged: Staged, run: str | None) -> int:
    """Run the tests whose names match, with OPA's own words on standard output; return its exit status.

    Without `run`: those of one's own rules, or where there are none, of Hostseal's.
    """
    run = run or (_own_tests(staged) if staged.rules else None)
    chosen = [] if run is None else ["--run", run]
    done = _opa(
        staged, "test", "--timeout", f"{TEST_SECONDS}s", "--verbose", "--var-values", "--fail-on-empty", *chosen,
        "--capabilities", str(staged.capabilities), ".",
    )  # fmt: skip
    sys.stdout.write(staged.named(done.stdout + done.stderr))
    return done.returncode


def _compiler(staged: Staged, error: dict[str, Any]) -> Problem:
    at, message = error.get("location") or {}, str(error["message"])
    where = f"{staged.real(at['file'])}:{at['row']}" if at else ""
    called = message.removeprefix("undefined function ")
    if called in FORBIDDEN:
        hint = (
            "a policy decides by its input and the bundle's data alone: take the time from input.event.time"
        )
        return Problem(where=where, what=f"{called} may not be called: {FORBIDDEN[called]}", hint=hint)
    return Problem(where=where, what=message, hint=str(error["code"]))


def _failed(staged: Staged, said: str) -> Iterator[Problem]:
    where, found = "", set()
    for line in said.splitlines():
        if heading := _HEADING.match(line):
            where = staged.named(heading[1])
        elif (failed := _FAILED.match(line)) and failed[1] not in found:
            found.add(failed[1])
            name = failed[1].removeprefix("data.")
            yield Problem(where=where, what=f"{name} fails", hint=f"hostseal policy test --run {failed[1]}")
    if not found:
        yield Problem(where="", what=staged.named(said.strip())[-2000:])


def _rows(one: dict[str, Any]) -> str:
    first, last = one["start"]["row"], one["end"]["row"]
    return str(first) if first == last else f"{first}-{last}"


def _opa(staged: Staged, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return _run(staged, [str(opa_child.find().absolute()), *arguments])


def _run(staged: Staged, command: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            cwd=staged.folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PolicyError(f"{Path(command[0]).name} {command[1]}: {error}", hint=command[0]) from error


def _regal() -> Path:
    named = os.environ.get("HOSTSEAL_REGAL") or shutil.which("regal")
    found = Path(named) if named else Path(sys.prefix).parent / ".tools/bin/regal"
    if not found.is_file():
        raise PolicyError(
            "there is no regal program", hint="run `make tools`, put regal on PATH, or set HOSTSEAL_REGAL"
        )
    return found.absolute()


def _json(done: "subprocess.CompletedProcess[str]", what: str) -> dict[str, Any]:
    for text in (done.stdout, done.stderr):
        try:
            found: dict[str, Any] = msgspec.json.decode(text)
        except msgspec.MsgspecError:
            continue
        return found
    raise PolicyError(f"{what}: {(done.stderr or done.stdout).strip()[-2000:]}")
