"""Builds a host image: instance, Packer, captured disk, generalised, sealed, with its provenance; or finds it made."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hostseal import keys
from hostseal.core.event import timestamp
from hostseal.core.images import added
from hostseal.core.seal import text
from hostseal.errors import ImageError
from hostseal.images import inputs as made_from
from hostseal.images import packer, secrets
from hostseal.images.catalogue import MANIFEST, PROVENANCE, ROOT, Catalogue
from hostseal.images.inputs import Inputs
from hostseal.images.store import Store
from hostseal.launcher import Launcher
from hostseal.seal import files
from hostseal.seal.personal import MANIFEST as PLACE

GENERALISE = "playbooks/pipeline/generalise.sh"


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """How an image came to be: its inputs and their digests, the commit, the tools, and when."""

    image: str
    manifest: str
    inputs: dict[str, str]
    inputs_digest: str
    commit: str
    tools: dict[str, str]
    started: str
    finished: str


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """An image that is in the catalogue now; `fresh` unless it was found in the store. `seconds` it all took."""

    digest: str
    fresh: bool
    seconds: float


def build(
    inputs: Inputs,
    catalogue: Catalogue,
    store: Store,
    launcher: Launcher,
    say: Callable[[str], None],
    *,
    anew: bool = False,
) -> Built:
    """Return the image of these inputs, in the catalogue (a new one as candidate). ImageError, LauncherError, SealError.

    The keys `seal` and `enrolment` are made in the keys' folder when they are missing, and stay there.
    """
    began = time.monotonic()
    for name in ("seal", "enrolment"):
        keys.ensure_pair(inputs.keys, name)
    base = launcher.base()
    wanted = made_from.together(made_from.digests(inputs, base))
    known = None if anew else store.find(wanted)
    if known is None:
        digest, place, fresh = store.made(
            wanted, lambda draft: _make(draft, inputs, base, launcher, say), anew=anew
        )
        # The roles made the keys that were missing: the note under the final inputs spares the next build.
        final = made_from.together(made_from.digests(inputs, base))
        if final != wanted:
            store.note(final, digest)
    else:
        (digest, place), fresh = known, False
    catalogue.take_in(digest, place)
    catalogue.change(lambda images: added(images, digest, datetime.now(UTC)))
    return Built(digest=digest, fresh=fresh, seconds=time.monotonic() - began)


def _make(draft: Path, inputs: Inputs, base: str, launcher: Launcher, say: Callable[[str], None]) -> str:
    started = datetime.now(UTC)
    tools = {"packer": packer.version(), "python": sys.version.split()[0]}
    work = draft / "work"
    work.mkdir(mode=0o700)
    root = draft / ROOT
    say("booting a build instance")
    instance = launcher.build_instance()
    try:
        variables = work / "variables.json"
        variables.write_bytes(msgspec.json.encode(_play_variables(inputs, work)))
        capture = json.dumps({"action": "build-capture", "name": instance.name, "target": str(root)})
        packer.build(
            inputs.checkout,
            instance,
            launcher,
            capture=capture,
            play_variables=variables,
            work=work,
            say=say,
        )
    finally:
        launcher.drop_build_instance()
    say("taking out what is one host's alone, and sealing the rest")
    _run([inputs.checkout / GENERALISE, root])
    for path, why in secrets.find(os.fsencode(root)):
        raise ImageError(
            f"the image would hold {text(path)}: {why}", hint=f"{GENERALISE} takes such things out"
        )
    manifest = files.create(root, draft / MANIFEST, keys.private_key(inputs.keys / "seal.key"))
    shutil.copyfile(draft / MANIFEST, root / PLACE.lstrip("/"))
    (root / PLACE.lstrip("/")).chmod(0o644)
    found = made_from.digests(inputs, base)
    provenance = Provenance(
        image=manifest.image,
        manifest=manifest.manifest,
        inputs=found,
        inputs_digest=made_from.together(found),
        commit=made_from.commit(inputs.checkout),
        tools=tools,
        started=timestamp(started),
        finished=timestamp(datetime.now(UTC)),
    )
    (draft / PROVENANCE).write_bytes(msgspec.json.format(msgspec.json.encode(provenance), indent=1) + b"\n")
    shutil.rmtree(work)
    return manifest.image


def _play_variables(inputs: Inputs, work: Path) -> dict[str, object]:
    site = _table(inputs.site)
    return {
        **({} if inputs.variables is None else _table(inputs.variables)),
        **({} if inputs.tasks is None else {"hostseal_image_tasks": str(inputs.tasks)}),
        "ansible_python_interpreter": "/usr/bin/python3",
        # Packer's Ansible provisioner switches it off in the environment; a variable weighs more.
        "ansible_host_key_checking": True,
        "hostseal_checkout": str(inputs.checkout),
        "hostseal_keys_dir": str(inputs.keys),
        "hostseal_build_dir": str(work / "bundle"),
        "hostseal_opa_binary": str(inputs.opa),
        "hostseal_wheelhouse": str(inputs.wheelhouse),
        "hostseal_cli": str(Path(sys.executable).with_name("hostseal")),
        "hostseal_site": site,
    }


def _table(file: Path) -> dict[str, object]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise ImageError(f"this is not a JSON object: {error}", hint=str(file)) from error


def _run(argv: list[str | Path]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(f"{argv[0]} ended with status {done.returncode}: {done.stderr.strip()[-2000:]}")
