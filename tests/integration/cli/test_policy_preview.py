"""`hostseal policy preview`, with a decision log that a real OPA decided, against other site data and other rules."""

import gzip
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from hostseal.policy import bundle, signing
from hostseal.policy.packaged import policies
from hostseal.policy.question import Question
from hostseal.policy.replay import Replayer
from hostseal.policy.scaffold import new
from hostseal.policy.serving import Source, served
from hostseal.trial import opa_child
from integration.cli.policies import SITE, asked, entry, hostseal, questions

MONTH = 1000
HOSTS = [f"web-{number}" for number in range(1, 20)] + ["lab-1"]


class Recorded:
    """A month's decisions, and the site they were decided for."""

    def __init__(self, folder: Path) -> None:
        self.site = folder / "site.json"
        self.site.write_text(json.dumps(SITE))
        self.log = folder / "log/decisions.jsonl"
        self.log.parent.mkdir()
        put = [Question(asks="event", input=one, where="x") for one in questions(MONTH, HOSTS)]
        with served(Source(site=self.site)) as url, self.log.open("w") as log:
            for number, one in enumerate(Replayer(url).ask(put)):
                log.write(json.dumps(entry(number, one.question.input, one.decision)) + "\n")

    def stricter(self, **changes: Any) -> Path:
        """Write the site's data with changes, and return the file."""
        file = self.site.with_name("stricter.json")
        file.write_text(json.dumps({**SITE, **changes}))
        return file


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return Recorded(tmp_path_factory.mktemp("month"))


def previewed(*arguments: object) -> tuple[int, dict[str, Any]]:
    done = hostseal("policy", "preview", "--json", *arguments)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, found


def test_the_same_policies_change_nothing(recorded: Recorded) -> None:
    status, found = previewed("--site", recorded.site, "--against", recorded.log, "--max-new-flags", 0)
    assert (status, found["replayed"], found["changed"], found["left"]) == (0, MONTH, 0, [])


def test_a_stricter_site_names_its_rule_and_its_hosts(recorded: Recorded, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.jsonl"
    lines = recorded.log.read_text().splitlines(keepends=True)
    quiet.write_text("".join(line for line in lines if '"shell"' not in line and '"web-1"' not in line))
    site = recorded.stricter(channel={"sftp": "flag"})
    status, found = previewed("--site", site, "--against", quiet, "--max-new-flags", len(HOSTS) - 3)
    assert (status, found["within"]) == (1, False)
    assert sorted(found["flagged"]) == sorted(set(HOSTS) - {"lab-1", "web-1"})
    assert found["freed"] == []
    by_rule = {one["rule"]: one for one in found["rules"]}
    assert by_rule["interactive_session"]["breaks"] == by_rule["interactive_session"]["new"] - _lab(found)
    assert {one["host"]: one["after"] for one in found["hosts"]}["lab-1"] == 0
    assert previewed("--site", site, "--against", quiet, "--max-new-flags", len(HOSTS) - 2)[0] == 0
    assert previewed("--site", site, "--against", quiet)[0] == 0


def _lab(found: dict[str, Any]) -> int:
    [lab] = [one for one in found["hosts"] if one["host"] == "lab-1"]
    return int(lab["would_after"] - lab["would_before"])


def test_a_laxer_site_frees_hosts(recorded: Recorded) -> None:
    site = recorded.stricter(channel={"shell": "lift"})
    status, found = previewed("--site", site, "--against", recorded.log, "--max-new-flags", 0)
    assert (status, found["flagged"]) == (0, [])
    assert sorted(found["freed"]) == sorted(set(HOSTS) - {"lab-1"})


def test_a_rule_of_ones_own_is_previewed_before_it_is_built(recorded: Recorded, tmp_path: Path) -> None:
    [_, rule, _] = new("every_session", tmp_path / "rules")
    rule.write_text(rule.read_text().replace('	input.event.data.user == "root"\n', ""))
    _, found = previewed("--site", recorded.site, "--rules", tmp_path / "rules", "--against", recorded.log)
    [own] = [one for one in found["rules"] if one["rule"] == "every_session"]
    assert own["new"] == MONTH // 5
    assert own["hosts"] == len(HOSTS)


def test_a_signed_bundle_is_previewed_as_it_would_be_when_promoted(
    recorded: Recorded, tmp_path: Path
) -> None:
    signing.generate_key_pair(tmp_path / "key", tmp_path / "pub")
    site = json.loads(recorded.stricter(channel={"shell": "lift"}).read_bytes())
    bundle.build(opa_child.find(), policies(), site, tmp_path / "b.tar.gz", tmp_path / "key")
    given = ("--bundle", tmp_path / "b.tar.gz", "--against", recorded.log)
    _, found = previewed(*given, "--bundle-key", tmp_path / "pub")
    assert len(found["freed"]) == len(HOSTS) - 1
    signing.generate_key_pair(tmp_path / "other", tmp_path / "other.pub")
    done = hostseal("policy", "preview", *given, "--bundle-key", tmp_path / "other.pub")
    assert (done.returncode, "OPA did not start" in done.stderr) == (1, True)


def test_what_cannot_be_replayed_is_counted_and_named(recorded: Recorded, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    good = recorded.log.read_text().splitlines()[:10]
    masked = {**json.loads(good[0]), "erased": ["/input/event/data/user"]}
    profile = {**json.loads(good[0]), "path": "hostseal/host/profile"}
    undecided = {key: value for key, value in json.loads(good[0]).items() if key != "result"}
    lines = [
        *good,
        json.dumps(masked),
        json.dumps(profile),
        json.dumps(undecided),
        "http: TLS handshake error",
    ]
    (folder / "decisions.jsonl").write_text("\n".join(lines))
    (folder / "old.gz").write_bytes(gzip.compress(f"[{','.join(good)}]".encode())[:-9])
    status, found = previewed("--site", recorded.site, "--against", folder)
    assert status == 0
    assert {one["kind"]: one["count"] for one in found["left"]} == {
        "malformed": 2,
        "masked": 1,
        "other questions": 1,
    }
    [first] = [one["first"] for one in found["left"] if one["kind"] == "masked"]
    assert first == [
        f"{folder / 'decisions.jsonl'}:11: its input is not whole: /input/event/data/user masked"
    ]
    assert found["decided"] == 1
    for limit, wanted in (("3", 0), ("2", 1)):
        status, _ = previewed("--site", recorded.site, "--against", folder, "--max-left", limit)
        assert status == wanted


def test_a_decision_that_is_told_twice_is_replayed_once_and_another_of_its_id_too(
    recorded: Recorded, tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    good = recorded.log.read_text().splitlines()[:10]
    forged = {**json.loads(good[0]), "input": asked("channel_shell", "web-19")}
    (folder / "host.jsonl").write_text("\n".join(good))
    (folder / "ledger.jsonl").write_text("\n".join([*good, json.dumps(forged)]))
    status, found = previewed("--site", recorded.site, "--against", folder, "--max-left", 0)
    assert (status, found["replayed"]) == (0, 11)
    assert [(one["kind"], one["count"]) for one in found["left"]] == [("told twice", 10)]


def test_an_entry_that_gets_no_decision_fails_a_limit(recorded: Recorded, tmp_path: Path) -> None:
    [_, rule, _] = new("two_answers", tmp_path / "rules")
    broken = rule.read_text() + '\nseen := false if input.event.data.user == "alice"\n'
    rule.write_text(broken.replace('	input.event.data.user == "root"\n', ""))
    given = ("--site", recorded.site, "--rules", tmp_path / "rules", "--against", recorded.log)
    status, found = previewed(*given, "--max-new-flags", 100)
    assert (status, found["within"]) == (1, False)
    assert sum(one["times"] for one in found["undecided"]) == MONTH // 5
    assert found["replayed"] == MONTH
    assert "must not produce multiple outputs" in found["errors"][0]


def test_nothing_to_replay_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = hostseal("policy", "preview", "--against", tmp_path / "empty", "--max-new-flags", 5)
    assert done.returncode == 2
    assert "there is no recorded decision to replay" in done.stderr


def test_a_bundle_and_policies_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"")
    done = hostseal(
        "policy", "preview", "--bundle", tmp_path / "b", "--site", tmp_path / "b", "--against", tmp_path
    )
    assert (done.returncode, "--bundle holds" in done.stderr) == (2, True)


def test_the_cases_of_the_checkout_can_be_previewed(recorded: Recorded) -> None:
    _, found = previewed("--site", "tests/policy/site.json", "--against", "tests/cases")
    assert (found["changed"], found["left"]) == (0, [])


@pytest.mark.parametrize("width", [60, 100])
def test_tables_are_as_wide_as_the_terminal_and_hostile_names_do_no_harm(
    recorded: Recorded, tmp_path: Path, width: int
) -> None:
    log = tmp_path / "log.jsonl"
    hostile = "web\x1b[2J\n" + "x" * 80
    nothing = {"allowed": True, "violations": [], "findings": [], "actions": []}
    log.write_text(json.dumps(entry(1, asked("channel_shell", hostile), nothing)))
    done = hostseal("policy", "preview", "--site", recorded.site, "--against", log, COLUMNS=str(width))
    assert done.returncode == 0, done.stderr
    table = done.stdout[done.stdout.index("RULE") :]
    assert max(map(len, table.splitlines())) <= width
    assert "\x1b" not in done.stdout
    assert r"\x1b[2J\n" in re.sub(r"\s", "", done.stdout)


def test_a_month_takes_little_memory(recorded: Recorded, tmp_path: Path) -> None:
    long = tmp_path / "long.jsonl"
    with long.open("w") as out:
        for number in range(4):
            out.write(recorded.log.read_text().replace('"decision_id": "0', f'"decision_id": "{number}'))
    once, fourfold = (_peak(recorded.site, log) for log in (recorded.log, long))
    assert fourfold < once + 8_000, f"{once} kB for {MONTH} entries, {fourfold} kB for {4 * MONTH}"


def _peak(site: Path, log: Path) -> int:
    """Return the kilobytes that the command itself needed at most."""
    pid = os.posix_spawnp(
        sys.executable,
        [
            sys.executable,
            "-m",
            "hostseal",
            "policy",
            "preview",
            "--json",
            "--site",
            str(site),
            "--against",
            str(log),
        ],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    return usage.ru_maxrss
