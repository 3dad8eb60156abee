"""Every way of changing a sealed file that we know of, done for real by somebody else.

Each is Python run by another process, which then waits to be told to end: a writer that lives can be named. `f` is
the sealed file, `d` its directory, `o` a directory outside on the same filesystem, both made for this way alone.
"""

from pathlib import Path

SYSCALLS = (Path(__file__).parent / "file_ways_calls.py").read_text("utf-8")

WAYS = {
    "write": "open(f, 'r+b').write(b'y')",
    "append": "open(f, 'ab').write(b'y')",
    "held open": "file = open(f, 'r+b', 0); file.write(b'y')",
    "truncate": "os.truncate(f, 3)",
    "ftruncate": "os.ftruncate(keep(os.open(f, os.O_RDWR)), 3); done()",
    "create": "open(d + b'/new', 'w')",
    "delete": "os.unlink(f)",
    "rename over": "open(o + b'/n', 'wb').write(b'y'); os.rename(o + b'/n', f)",
    "rename away": "os.rename(f, o + b'/away')",
    "exchange": "open(o + b'/n', 'wb').write(b'y'); exchange(o + b'/n', f)",
    "directory in": "os.makedirs(o + b'/in/deep'); open(o + b'/in/deep/new', 'w'); os.rename(o + b'/in', d + b'/in')",
    "symbolic link": "os.symlink('/etc/passwd', d + b'/new')",
    "device or fifo": "os.mkfifo(d + b'/new')",
    "socket": "import socket; socket.socket(socket.AF_UNIX).bind(d + b'/new')",
    "mode": "os.chmod(f, 0o4755)",
    "owner": "os.chown(f, 1, 1)",
    "times": "os.utime(f, (1, 1))",
    "capability": "os.setxattr(f, 'security.capability', bytes.fromhex('0100000200040000000000000000000000000000'))",
    "access list": "os.setxattr(f, 'system.posix_acl_access', ACL)",
    "mmap": "unmap(write_mapped(f, b'y'))",
    "mmap held": "write_mapped(f, b'y')",
    "hard link in": "open(o + b'/n', 'w').write('y'); os.link(o + b'/n', d + b'/new')",
    "outside name": "os.link(f, o + b'/n'); open(o + b'/n', 'r+b').write(b'y')",
    "unnamed file": "t = os.open(d, os.O_TMPFILE | os.O_WRONLY); os.write(t, b'y'); name(t, d + b'/new'); os.close(t)",
    "unnamed file, written later": "t = os.open(d, os.O_TMPFILE | os.O_WRONLY); name(t, d + b'/new'); os.write(t, b'y')"
    "; os.close(t)",
    "io_uring": "uring_write(keep(os.open(f, os.O_WRONLY)), b'y'); done()",
    "copy_file_range": "t = source(o); b = os.open(f, os.O_WRONLY); os.copy_file_range(t, b, 1); os.close(b)",
    "sendfile": "b = os.open(f, os.O_WRONLY); os.sendfile(b, source(o), 0, 1); os.close(b)",
    "splice": "r, w = os.pipe(); os.write(w, b'y'); b = os.open(f, os.O_WRONLY); os.splice(r, b, 1); os.close(b)",
    "hole": "b = os.open(f, os.O_RDWR); fallocate(b, 3, 0, 4096); os.close(b)",
    "fallocate": "b = os.open(f, os.O_RDWR); os.posix_fallocate(b, 0, 9000); os.close(b)",
    "by handle": "b = by_handle(f, os.O_WRONLY); os.write(b, b'y'); os.close(b)",
    "by /proc": "a = os.open(f, os.O_RDONLY); b = os.open('/proc/self/fd/%d' % a, os.O_WRONLY); os.write(b, b'y')"
    "; os.close(b)",
    "file attributes": "b = os.open(f, os.O_RDONLY); add_flag(b, 0x10)",
}
"""On a filesystem that the sealed tree lies on."""

MOUNTS = {
    "bind mount": "mount('--bind', d, o); open(o + b'/f', 'r+b').write(b'y'); mount('--lazy', o, by='umount')",
    "mount over": "mount('-t', 'tmpfs', 'hostseal-test', d)",
    "remount": "mount('--bind', d, d); hold(); mount('-o', 'remount,bind,nosuid', d)",
    "another mount namespace": "subprocess.run(['unshare', '-m', 'sh', '-c', 'echo y > \"$1\"', 'sh', f], check=True)",
}
LAYERS = {
    "overlay": "open(f, 'r+b').write(b'y')",
    "overlay, upper layer": "open(layer(b'upper', f), 'wb').write(b'y')",
    "overlay, lower layer": "open(layer(b'lower', f), 'wb').write(b'y')",
}
DEVICE = {"block device": "overwrite(device, f, b'y')"}
ALL = {**WAYS, **MOUNTS, **LAYERS, **DEVICE}


def script(code: str) -> str:
    """Return the whole program for one way."""
    return SYSCALLS + "\n" + code + "\nhold()\n"


def shows(directory: bytes, way: str) -> bytes:
    """Return where a way shows: at the sealed file or, of one that makes something, at what is made."""
    if way == "directory in":
        return directory + b"/in/deep/new"
    if way in ("mount over", "remount"):
        return directory
    return directory + (b"/new" if "/new" in ALL[way] else b"/f")
