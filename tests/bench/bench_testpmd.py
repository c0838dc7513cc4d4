# SPDX-License-Identifier: Apache-2.0
"""testpmd as a benchmark subject: the I/O floor, the same generator and sink
with nothing in between."""
import subprocess

from bench_peers import REMOTE_MAC, WORKER_CORE, Peer, PeerError, wait_for


class Testpmd(Peer):
    name = "testpmd"
    settings = [("",)]

    def start(self, setting):
        self.write_conf(REMOTE_MAC, passthrough=True)
        devices = self.devices()
        if len(devices) == 3:  # It pairs ports: the third would be alone.
            del devices[3]
        self.popen("dpdk-testpmd", "--lcores", "0@0,1@%d" % WORKER_CORE,
                   "--in-memory", "--no-pci", "-d", self.bench.plugin,
                   *[w for d in devices.values() for w in ("--vdev", d)],
                   "--", "--nb-cores=1", "--forward-mode=io", "--auto-start",
                   "--no-flush-rx",
                   "--total-num-mbufs=%d" % (8192 + 4096 * len(devices)),
                   *(["--port-topology=loop"] if len(devices) == 1 else []),
                   stdin=subprocess.PIPE)
        wait_for("testpmd's forwarding",
                 lambda: self.read_stats()["delivered"])

    def worker(self):
        for prefix in ("rte-worker-1", "dpdk-worker1", "lcore-worker-1"):
            try:
                return self.thread(self.main_pid(), prefix)
            except PeerError:
                continue
        raise PeerError("testpmd's worker thread not found")

    def main_pid(self):
        return self.procs[0].pid
