"""System calls that Python has no name for; run by another process, see file_ways.py."""

import ctypes
import fcntl
import mmap
import os
import struct
import subprocess
import sys

f, d, o, device, layers = (os.fsencode(one) for one in sys.argv[1:])
libc = ctypes.CDLL(None, use_errno=True)
kept = []
ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, rights, who)
    for tag, rights, who in [
        (1, 6, 0xFFFFFFFF),
        (2, 6, 1),
        (4, 4, 0xFFFFFFFF),
        (16, 6, 0xFFFFFFFF),
        (32, 4, 0xFFFFFFFF),
    ]
)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def keep(descriptor):
    kept.append(descriptor)
    return descriptor


def done():
    while kept:
        os.close(kept.pop())


def hold():
    print("done", flush=True)
    sys.stdin.readline()


def write_mapped(path, data):
    """Write through a shared map and close the file; return the map, to be unmapped."""
    file = os.open(path, os.O_RDWR)
    libc.mmap.restype = ctypes.c_void_p
    address = libc.mmap(None, ctypes.c_size_t(4096), 3, mmap.MAP_SHARED, file, ctypes.c_long(0))
    os.close(file)
    ctypes.memmove(address, data, len(data))
    return ctypes.c_void_p(address)


def unmap(address):
    check(libc.munmap(address, ctypes.c_size_t(4096)))


def exchange(one, other):
    check(libc.renameat2(-100, one, -100, other, 2))


def name(descriptor, path):
    check(libc.linkat(-100, b"/proc/self/fd/%d" % descriptor, -100, path, 0x400))  # AT_SYMLINK_FOLLOW


def source(folder):
    with open(folder + b"/source", "wb") as file:
        file.write(b"y")
    return os.open(folder + b"/source", os.O_RDONLY)


def fallocate(descriptor, mode, start, size):
    check(libc.fallocate(descriptor, mode, ctypes.c_long(start), ctypes.c_long(size)))


def by_handle(path, flags):
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0) + bytes(128))
    number = ctypes.c_int()
    check(libc.name_to_handle_at(-100, path, handle, ctypes.byref(number), 0))
    top = os.open(os.path.dirname(path), os.O_RDONLY)
    return check(libc.open_by_handle_at(top, handle, flags))


def add_flag(descriptor, flag):
    """FS_IOC_GETFLAGS, FS_IOC_SETFLAGS: what chattr does."""
    (flags,) = struct.unpack("l", fcntl.ioctl(descriptor, 0x80086601, bytes(8)))
    fcntl.ioctl(descriptor, 0x40086602, struct.pack("l", flags | flag))


def mount(*arguments, by="mount"):
    subprocess.run([by, *arguments], check=True)


def layer(which, path):
    return layers + b"/" + which + path[path.index(b"/overlay") + len(b"/overlay") :]


def overwrite(path, sealed, data):
    """Write over the blocks of a mounted filesystem, below it."""
    os.sync()
    with open(path, "r+b", 0) as disk, open(sealed, "rb") as file:
        at = disk.read().find(file.read(4096))
        assert at >= 0
        disk.seek(at)
        disk.write(data)
        os.fsync(disk.fileno())


def uring_write(descriptor, data):
    """io_uring_setup(2) and io_uring_enter(2), one IORING_OP_WRITE."""
    parameters = ctypes.create_string_buffer(120)
    ring = check(libc.syscall(425, 4, parameters))
    sq = struct.unpack_from("=10I", parameters, 40)  # head tail mask entries flags dropped array ...
    cq = struct.unpack_from("=8I", parameters, 80)
    queue = mmap.mmap(ring, 4096, offset=0)
    entries = mmap.mmap(ring, 4096, offset=0x10000000)
    buffer = ctypes.create_string_buffer(data)
    entries[0:64] = struct.pack(
        "=BBHiQQIIQ24x", 23, 0, 0, descriptor, 0, ctypes.addressof(buffer), len(data), 0, 7
    )
    queue[sq[6] : sq[6] + 4] = struct.pack("=I", 0)
    queue[sq[1] : sq[1] + 4] = struct.pack("=I", 1)
    check(libc.syscall(426, ring, 1, 1, 1, None, 0))
    (result,) = struct.unpack_from("=i", queue, cq[5] + 8)
    assert result == len(data), result
    entries.close()
    queue.close()
    os.close(ring)
