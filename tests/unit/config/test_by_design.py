"""Classes of files that change by design: those of ours, a site's beside them, and what none may be."""

from pathlib import Path

import msgspec
import pytest

from hostseal.config.by_design import BY_DESIGN, mistake
from hostseal.config.load import load
from hostseal.config.settings import Settings
from hostseal.core.by_design import ByDesign
from hostseal.errors import ConfigError


def written(folder: Path, *texts: str) -> list[Path]:
    files = [folder / f"{number}0-site.toml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, "utf-8")
    return files


def test_without_a_word_of_the_site_ours_are_in_force(tmp_path: Path) -> None:
    assert load([]).files.by_design == dict(BY_DESIGN)
    assert load(written(tmp_path, "[files]\nmax_paths = 7\n")).files.by_design == dict(BY_DESIGN)


def test_a_sites_class_stands_beside_ours_and_a_later_file_replaces_its_namesake(tmp_path: Path) -> None:
    first = '[files.by_design.cups]\nreason = "printers come and go"\npaths = ["/etc/cups/*"]\nunits = ["cups.service"]\n'
    second = '[files.by_design.cups]\nreason = "only these"\npaths = ["/etc/cups/printers.conf"]\n'
    found = load(written(tmp_path, first, "[files]\nmax_paths = 7\n", second)).files
    assert found.max_paths == 7
    assert found.by_design == {
        **BY_DESIGN,
        "cups": ByDesign(reason="only these", paths=("/etc/cups/printers.conf",)),
    }


def test_one_of_ours_is_switched_off_with_a_reason(tmp_path: Path) -> None:
    text = '[files.by_design.resolv_conf]\nreason = "no DHCP here"\npaths = []\n'
    assert load(written(tmp_path, text)).files.by_design["resolv_conf"].paths == ()


def test_settings_with_classes_survive_the_file_of_the_last_good_ones(tmp_path: Path) -> None:
    text = '[files.by_design.x]\nreason = "r"\npaths = ["/etc/x"]\nwhat = ["modified"]\nroles = ["systemd"]\n'
    settings = load(written(tmp_path, text))
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("path = []", 3, ["files.by_design.x.path:", "unknown key", "reason, paths, what, units, roles"]),
        ('paths = ["/etc"]', 3, ["files.by_design.x.paths:", "'/etc' is a whole tree"]),
        ('paths = ["etc/x"]', 3, ["files.by_design.x.paths:", "'etc/x' is not absolute"]),
        ('paths = ["/*/x/../y"]', 3, ["files.by_design.x.paths:", "'/*/x/../y' names .."]),
        (
            'paths = ["/etc/x"]\nroles = ["systemd", "emacs"]',
            4,
            ["files.by_design.x.roles:", "'emacs' is not one of package_manager, systemd"],
        ),
        (
            'paths = ["/etc/x"]\nwhat = ["eaten"]',
            4,
            ["files.by_design.x.what:", "'eaten' is not one of created, modified"],
        ),
        ('paths = ["/etc/x"]\nwhat = []', 4, ["files.by_design.x.what:", "empty"]),
        ("paths = 3", 3, ["files.by_design.x.paths:", "3 does not fit"]),
    ],
)
def test_a_bad_class_names_file_line_key_and_what_is_allowed(
    tmp_path: Path, text: str, line: int, words: list[str]
) -> None:
    (file,) = written(tmp_path, f'[files.by_design.x]\nreason = "r"\n{text}\n')
    with pytest.raises(ConfigError) as caught:
        load([file])
    assert [word for word in words if word not in caught.value.message] == []
    assert caught.value.hint == f"{file}:{line}"


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_class_has_a_reason(tmp_path: Path, reason: str) -> None:
    with pytest.raises(ConfigError, match="say why these files change"):
        load(written(tmp_path, f'[files.by_design.x]\npaths = ["/etc/x"]\nreason = "{reason}"\n'))


@pytest.mark.parametrize("text", ["[files]\nby_design = 3\n", "[files.by_design]\nx = 3\n", "files = 3\n"])
def test_what_is_no_table_of_tables_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="does not fit"):
        load(written(tmp_path, text))


@pytest.mark.parametrize("name", BY_DESIGN)
def test_ours_are_no_mistakes_and_none_is_open_to_any_writer(name: str) -> None:
    one = BY_DESIGN[name]
    assert mistake(one) is None
    assert one.units or one.roles
