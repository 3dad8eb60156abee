"""From which commit sources are: the last one that changed them, by a real git."""

import datetime as dt
import os
import subprocess
from pathlib import Path

import pytest

from hostseal.policy.commits import Commit, newest

MONDAY = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)


def git(folder: Path, *words: str, time: dt.datetime = MONDAY) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_COMMITTER_DATE": time.isoformat(), "GIT_AUTHOR_DATE": time.isoformat(),
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
    }  # fmt: skip
    identity = ["-c", "user.name=carol", "-c", "user.email=carol@example.org"]
    done = subprocess.run(
        ["git", "-C", folder, *identity, *words], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, name: str, days: int) -> str:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(f"of day {days}\n")
    git(folder, "add", name)
    git(folder, "commit", "-m", f"Change {name}", time=MONDAY + dt.timedelta(days=days))
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--initial-branch=main")
    return folder


def test_the_newest_commit_that_changed_a_source_counts_and_no_other(repository: Path) -> None:
    first = commit(repository, "policies/a.rego", 0)
    second = commit(repository, "site.json", 1)
    commit(repository, "README.md", 2)
    policies, site = repository / "policies", repository / "site.json"
    assert newest([policies]) == Commit(id=first, time=MONDAY, clean=True)
    assert newest([policies, site]) == Commit(id=second, time=MONDAY + dt.timedelta(days=1), clean=True)
    assert str(newest([policies])) == first[:12]


@pytest.mark.parametrize("name", ["policies/a.rego", "policies/new.rego"])
def test_what_is_not_committed_is_said(repository: Path, name: str) -> None:
    first = commit(repository, "policies/a.rego", 0)
    (repository / "README.md").write_text("not a source\n")
    (repository / name).write_text("changed\n")
    assert str(newest([repository / "policies"])) == f"{first[:12]}.dirty"


def test_what_git_does_not_know_has_no_commit(repository: Path, tmp_path: Path) -> None:
    first = commit(repository, "policies/a.rego", 0)
    (tmp_path / "outside").mkdir()
    assert newest([tmp_path / "outside"]) is None
    (repository / "new").mkdir()
    assert newest([repository / "new"]) is None
    assert newest([tmp_path / "outside", repository / "policies"]) == Commit(
        id=first, time=MONDAY, clean=True
    )


def test_a_clone_without_history_does_not_pretend_to_know(repository: Path, tmp_path: Path) -> None:
    commit(repository, "policies/a.rego", 0)
    last = commit(repository, "site.json", 1)
    git(tmp_path, "clone", "--depth=1", f"file://{repository}", "shallow")
    shallow = tmp_path / "shallow"
    assert (
        git(shallow, "log", "-1", "--format=%H", "--", "policies") == last
    )  # as git says it, and it is wrong
    assert newest([shallow / "policies"]) is None


def test_another_repositorys_environment_is_not_about_this_one(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = commit(repository, "policies/a.rego", 0)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert newest([repository / "policies"]) == Commit(id=first, time=MONDAY, clean=True)


def test_without_git_there_is_no_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(repository, "policies/a.rego", 0)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert newest([repository / "policies"]) is None
