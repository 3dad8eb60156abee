"""Runs one action's playbook, inside its unit. The only extra variable is a UUID: the incident's or the action's (law 9)."""

import shutil
import sys
from pathlib import Path

import ansible_runner

from hostseal import trust
from hostseal.actions.request import ActionFolder, Request, Result
from hostseal.core.responses import PLAYS
from hostseal.errors import ActionError, UntrustedFileError

OUTPUT_KEPT = 8192


def run(state: Path, action_id: str) -> Result:
    """Run the playbook that belongs to the action, store and return what came of it."""
    folder = ActionFolder(state, action_id)
    request = folder.request()
    try:
        result = _play(request, folder.path)
    except (ActionError, UntrustedFileError, OSError) as error:
        result = Result(attempt=request.attempt, ok=False, message=str(error))
    folder.answer(result)
    return result


def _play(request: Request, folder: Path) -> Result:
    play = PLAYS.get(request.action)
    if play is None:
        raise ActionError(f"no playbook belongs to the action {request.action!r}")
    top = Path(request.playbooks)
    playbook = trust.check_tree(top) / play.file
    configuration = trust.check(top.parent / "ansible.cfg")
    collections = trust.check_tree(top.parent / "collections")
    private = folder / f"run-{request.attempt}"
    shutil.rmtree(private, ignore_errors=True)
    private.mkdir(mode=0o700)
    try:
        played = ansible_runner.run(
            private_data_dir=str(private),
            playbook=str(playbook),
            inventory="localhost ansible_connection=local",
            extravars={play.variable: _uuid(request, play.variable)},
            envvars={
                "ANSIBLE_CONFIG": str(configuration),
                "ANSIBLE_COLLECTIONS_PATH": str(collections),
                "ANSIBLE_HOME": str(private / "home"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "LC_ALL": "C.UTF-8",
                "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
            },
            timeout=int(request.time_limit_seconds),
            quiet=True,
            settings={"suppress_env_files": True},
        )
        output = played.stdout.read()[-OUTPUT_KEPT:] if played.stdout else ""
        message = f"{play.file}: {played.status}, exit status {played.rc}"
        return Result(attempt=request.attempt, ok=played.rc == 0, message=message, output=output)
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _uuid(request: Request, variable: str) -> str:
    return request.incident if variable == "hostseal_incident" else request.id
