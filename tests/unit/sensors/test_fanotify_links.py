"""Which files were given a second name."""

from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors.fanotify_abi import Record
from hostseal.sensors.fanotify_links import LIMIT, SEARCHES_PER_MINUTE, Links

COUNTED = Record(abi.ATTRIB, 1, -1, b"", b"", b"file")
MADE = Record(abi.CREATE, 1, -1, b"directory", b"link", b"file")
WRITTEN = Record(abi.CLOSE_WRITE, 1, -1, b"directory", b"link", b"file")


def test_a_link_is_a_count_and_then_an_entry() -> None:
    links = Links()
    links.see(COUNTED)
    links.see(MADE)
    assert links.concerned(WRITTEN)
    assert not links.concerned(MADE)
    assert links.known(b"file") is None
    links.learn(b"file", (b"/etc/hosts",))
    assert links.known(b"file") == (b"/etc/hosts",)


def test_a_new_file_is_no_link() -> None:
    links = Links()
    links.see(MADE)
    links.see(COUNTED)
    assert not links.concerned(WRITTEN)


def test_what_is_remembered_is_bounded() -> None:
    links = Links()
    for number in range(LIMIT + 1):
        links.see(COUNTED._replace(target=b"%d" % number))
        links.see(MADE._replace(target=b"%d" % number))
    assert not links.concerned(WRITTEN._replace(target=b"0"))
    assert links.concerned(WRITTEN._replace(target=b"%d" % LIMIT))


def test_searches_are_rationed() -> None:
    links = Links()
    assert all(links.may_search(float(second)) for second in range(SEARCHES_PER_MINUTE))
    assert not links.may_search(59.9)
    assert links.may_search(60.1)
