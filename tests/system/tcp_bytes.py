# SPDX-License-Identifier: Apache-2.0
"""Sends and receives random bytes by TCP; each side prints a digest.

usage: tcp_bytes.py serve ADDRESS | send ADDRESS BYTES"""
import hashlib
import json
import os
import socket
import sys
import time

PORT = 5999
CHUNK = 1 << 16


def serve(address):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, PORT))
        s.listen(1)
        s.settimeout(30)
        print("listening", flush=True)
        c, _ = s.accept()
    c.settimeout(30)
    digest, n, start = hashlib.sha256(), 0, time.monotonic()
    while True:
        data = c.recv(CHUNK)
        if not data:
            break
        digest.update(data)
        n += len(data)
    print(json.dumps({"bytes": n, "digest": digest.hexdigest(),
                      "seconds": time.monotonic() - start}))


def send(address, size):
    digest = hashlib.sha256()
    block = os.urandom(1 << 20)
    with socket.create_connection((address, PORT), timeout=30) as s:
        left = size
        while left:
            data = block[:min(left, len(block))]
            digest.update(data)
            s.sendall(data)
            left -= len(data)
            block = block[1:] + block[:1]
    print(json.dumps({"digest": digest.hexdigest()}))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        send(sys.argv[2], int(sys.argv[3]))
