"""Lines of /proc/PID/maps, as Linux 6.18 writes them."""

from hostseal.core.process_maps import writable_shared

TEXT = rb"""55d0c0a00000-55d0c0a01000 r--p 00000000 fe:00 131 /usr/bin/cat
7f0000000000-7f0000001000 rw-p 00000000 fe:00 132                        /etc/private
7f0000001000-7f0000002000 rw-s 00001000 fe:00 133                        /etc/shared and spaced
7f0000002000-7f0000003000 r--s 00000000 fe:00 134                        /usr/lib/gconv-modules.cache
7f0000003000-7f0000004000 -w-s 00000000 00:2a 135                        /etc/line\012end
7f0000004000-7f0000005000 rw-s 00000000 fe:00 136                        /etc/gone (deleted)
7f0000005000-7f0000006000 rw-s 00000000 00:01 1034                       /dev/zero (deleted)
7f0000006000-7f0000007000 rw-s 00000000 00:0f 0                          /not/a/file
7f0000007000-7f0000008000 rw-s 00000000 00:0e 1035                       anon_inode:[io_uring]
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
"""


def test_only_what_is_shared_writable_and_has_a_name_is_found() -> None:
    assert writable_shared(TEXT) == {b"/etc/shared and spaced", rb"/etc/line\012end", b"/etc/line\nend"}


def test_nothing_in_nothing() -> None:
    assert writable_shared(b"") == frozenset()
