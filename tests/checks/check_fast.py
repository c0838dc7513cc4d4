#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Objects of *_fast.c call no allocator, lock, log or system call.

usage: check_fast.py OBJECT...  (or a folder: every *_fast*.o below it)
Looks at undefined symbols; a call behind a pointer stays for review."""
import os
import re
import subprocess
import sys

FORBIDDEN = re.compile(
    r"^(malloc|calloc|realloc|free|posix_memalign|aligned_alloc|str(n?dup)|"
    r"base_x\w+|base_log\w*|base_clock\w*|v?f?printf|v?sn?printf|puts|fputs|"
    r"syslog|write|read|readv|writev|send\w*|recv\w*|poll|epoll_\w+|select|"
    r"ioctl|open|close|mmap|munmap|futex|syscall|usleep|nanosleep|"
    r"clock_gettime|gettimeofday|time|pthread_(mutex|rwlock|cond|spin)_\w+|"
    r"rte_(malloc|zmalloc|calloc|realloc|free)\w*|rte_log|"
    r"__u?(div|mod)(di|ti)3|abort|exit)$")
# Compilers emit this for a failed assertion of the sanitizer builds only.
IGNORED = re.compile(r"^(__asan|__ubsan|__sanitizer|__tsan)")


def fast_objects(args):
    for arg in args:
        if os.path.isfile(arg):
            yield arg
            continue
        for here, _, names in os.walk(arg):
            for name in sorted(names):
                if re.search(r"_fast(_\w+)?\.o$", name):
                    yield os.path.join(here, name)


def undefined(obj):
    out = subprocess.run(["nm", "-u", obj], capture_output=True, text=True,
                         check=True).stdout
    return [line.split()[-1].split("@")[0] for line in out.splitlines()
            if line.strip()]


def main():
    faults = seen = 0
    for obj in fast_objects(sys.argv[1:]):
        seen += 1
        for symbol in undefined(obj):
            if not IGNORED.match(symbol) and FORBIDDEN.match(symbol):
                print("%s: per-packet code calls %s" % (obj, symbol))
                faults += 1
    if not seen:
        print("check_fast.py: no *_fast.o found: build first")
        sys.exit(1)
    print("check_fast.py: %d objects, %s" % (
        seen, "%d faults" % faults if faults else "ok"))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
