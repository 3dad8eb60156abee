"""The host image: baked once from the recipe and the machine's apt sources, kept in the user's cache by digest."""

import dataclasses
import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import sources
from lab.errors import LabError
from lab.locks import locked
from lab.process import call
from lab.progress import Progress
from lab.records import records, remove_tree

RECIPE = Path(__file__).parent / "recipe"
EPOCH = "1750000000"  # SOURCE_DATE_EPOCH: no file in the image is newer than this
NEEDED = "apt-get install mmdebstrap systemd-container iproute2 dbus openssh-client"


@dataclass(frozen=True, kw_only=True)
class Image:
    """A baked image; `digest` is the SHA-256 of its tar archive, `inputs` that of what it was made from."""

    digest: str
    inputs: str
    folder: Path

    @property
    def archive(self) -> Path:
        """Return the image as one tar archive."""
        return self.folder / "rootfs.tar"

    @property
    def root(self) -> Path:
        """Return the image as a folder: the lower layer of every host."""
        return self.folder / "rootfs"


def cache() -> Path:
    """Return the folder of all images."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "hostseal" / "images"


def inputs_digest() -> str:
    """Return the SHA-256 of all that decides what an image contains."""
    digest = hashlib.sha256(f"{sources.SUITE} {EPOCH}".encode())
    recipe = sorted(path for path in RECIPE.rglob("*") if path.is_file())
    for path in [*recipe, *sources.source_files()]:
        content = path.read_bytes()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode(errors="surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


def ensure(progress: Progress, *, store: Path | None = None, refresh: bool = False) -> Image:
    """Return the image of the current recipe, baking it if the cache has none or `refresh` asks for it."""
    store = store or cache()
    inputs = inputs_digest()
    image = None if refresh else _cached(store, inputs)
    if image is not None:
        return image
    with locked(store / ".lock", progress=progress):
        image = None if refresh else _cached(store, inputs)
        return image or _bake(store, inputs, progress)


def _cached(store: Path, inputs: str) -> Image | None:
    try:
        digest = (store / "by-inputs" / inputs).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    image = Image(digest=digest, inputs=inputs, folder=store / digest)
    return image if (image.folder / "image.json").exists() else None


def _bake(store: Path, inputs: str, progress: Progress) -> Image:
    for leftover in store.glob(".bake-*"):
        remove_tree(leftover)
    draft = Path(tempfile.mkdtemp(prefix=".bake-", dir=store))
    draft.chmod(0o755)
    try:
        archive = draft / "rootfs.tar"
        _bootstrap(archive, progress)
        digest = _sha256(archive)
        image = Image(digest=digest, inputs=inputs, folder=store / digest)
        if not (image.folder / "image.json").exists():
            progress.say(f"unpacking image {digest[:12]}")
            _finish(draft, image)
    finally:
        remove_tree(draft)
    index = store / "by-inputs"
    index.mkdir(exist_ok=True)
    (index / inputs).write_text(f"{digest}\n", encoding="ascii")
    _prune(store)
    progress.say(f"image {digest[:12]} is ready")
    return image


def _bootstrap(archive: Path, progress: Progress) -> None:
    settings = archive.with_name("apt.conf")
    settings.write_text(sources.transport_settings(), encoding="utf-8")
    passed_on = {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
    environment = {
        **passed_on,
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(archive.parent),
        "SOURCE_DATE_EPOCH": EPOCH,
        "FILES": str(RECIPE / "files"),
        "RECIPE": str(RECIPE),
    }
    argv = [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(_packages())}",
        f"--aptopt={settings}",
        # Else apt's own folders belong to another user where that user can reach the cache.
        '--aptopt=APT::Sandbox::User "root"',
        '--customize-hook=sh "$RECIPE/customize.sh" "$1"',
        sources.SUITE,
        str(archive),
        *(str(path) for path in sources.source_files()),
    ]
    progress.say("baking the host image from Debian's packages (once; about 40 s)")
    said: list[str] = []
    try:
        with subprocess.Popen(
            argv,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                said.append(line)
                if line.startswith("I: ") and line.rstrip().endswith("..."):
                    progress.say(f"  {line.removeprefix('I: ').strip()}")
    except FileNotFoundError as error:
        raise LabError("mmdebstrap is not installed", NEEDED) from error
    if process.returncode != 0:
        raise LabError(f"mmdebstrap ended with status {process.returncode}:\n{''.join(said[-25:])}")


def _finish(draft: Path, image: Image) -> None:
    """Unpack the draft's archive and move the whole into its place; image.json comes last and marks it complete."""
    root = draft / "rootfs"
    root.mkdir()
    call(
        ["tar", "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", draft / "rootfs.tar"]
    )
    (draft / "apt.conf").unlink()
    remove_tree(image.folder)
    draft.rename(image.folder)
    draft.mkdir()
    description = {**dataclasses.asdict(image), "folder": str(image.folder)}
    (image.folder / "image.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def _prune(store: Path) -> None:
    """Remove what no input leads to any more and no host runs from."""
    index = store / "by-inputs"
    newest = sorted(index.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest[2:]:
        path.unlink()
    kept = {path.read_text(encoding="ascii").strip() for path in newest[:2]} | {
        record.image for record in records()
    }
    for folder in store.iterdir():
        if len(folder.name) == 64 and folder.name not in kept:
            remove_tree(folder)


def _packages() -> list[str]:
    lines = (RECIPE / "packages.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
