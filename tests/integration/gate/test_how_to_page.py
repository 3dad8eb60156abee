"""docs/how-to/gate-a-play.md, followed to the letter, in front of a real OPA that has the page's site data."""

import json
import re
import subprocess
import sys
from pathlib import Path

from e2e.test_how_to import ROOT, commands
from hostseal.policy import bundle, signing
from hostseal.policy.packaged import policies
from hostseal.trial import opa_child
from policy.opa_server import TOKEN, OpaServer

PAGE = "gate-a-play.md"
REFUSED = (
    'The play "Patch the web servers" patches the immutable host web-1-g2 in place: task "Install nginx" of '
    "ansible.builtin.copy. Build a new image with the change and replace the host."
)


def fenced(kind: str) -> str:
    [found] = re.findall(
        rf"^```{kind}\n(.*?)^```$", (ROOT / "docs/how-to" / PAGE).read_text(), re.MULTILINE | re.DOTALL
    )
    return str(found)


def test_gate_a_play(tmp_path: Path) -> None:
    changed, opa = tmp_path / "nginx", opa_child.find().absolute()
    (tmp_path / "site.json").write_text(fenced("json"))
    signing.generate_key_pair(tmp_path / "key", tmp_path / "pub")
    bundle.build(opa, policies(), json.loads(fenced("json")), tmp_path / "b.tar.gz", tmp_path / "key")
    local = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
    (tmp_path / "inventory.ini").write_text(f"[web]\nweb-1-g2 {local}\n")
    with OpaServer(opa, tmp_path, tmp_path / "b.tar.gz", tmp_path / "pub") as server:
        server.wait_for(200)
        (tmp_path / "server.pem").rename(tmp_path / "ca.pem")
        (tmp_path / "token").write_text(TOKEN)
        play = fenced("yaml")
        for example, own in (
            ("https://opa.example.org:8181", f"https://127.0.0.1:{server.port}"),
            ("/tmp/hostseal-example-nginx", str(changed)),
        ):
            assert example in play
            play = play.replace(example, own)
        (tmp_path / "patch.yml").write_text(play)
        in_ci, patch, patch_checked = (run(command, tmp_path) for command in commands(PAGE, {}))
    assert (in_ci.returncode, REFUSED in in_ci.stdout) == (1, True), in_ci.stderr
    assert (patch.returncode, REFUSED in patch.stdout + patch.stderr) == (2, True)
    assert patch_checked.returncode == 0, patch_checked.stdout
    assert "changed=1" in patch_checked.stdout
    assert not changed.exists()


def run(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a page's command as a person does, with the environment's programs first."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{ROOT / '.tools/bin'}:/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_NOCOLOR": "1",
    }
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
