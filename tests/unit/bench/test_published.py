"""The page and the picture say what docs/bench/*.json say, and the figures are of a run that kept its promise."""

from xml.etree import ElementTree as ET

from bench import plot, results, tables


def test_the_pages_tables_are_those_of_the_results() -> None:
    page = tables.PAGE.read_text("utf-8")
    assert tables.rendered(page) == page
    for name in tables.TABLES:
        if results.load(name):
            assert page.count(f"<!-- bench:{name} -->\n") == page.count(f"<!-- /bench:{name} -->") == 1, name


def test_the_picture_is_that_of_the_results() -> None:
    drawn = plot.picture()
    assert plot.PICTURE.read_text("utf-8") == drawn
    assert ET.fromstring(drawn).tag.endswith("svg")


def test_what_is_published_lost_nothing_in_silence_and_stayed_small() -> None:
    found = results.load("files_burst")
    assert found
    ours = [row for row in found["rows"] if row["consumer"] in {"hostseal-fanotify", "hostseal-inotify"}]
    assert len(ours) == 2
    for row in ours:
        assert row["burst_seen_percent"] == 100 or row["burst_lost_said"], row
        assert row["rss_mb"] < 80, row
