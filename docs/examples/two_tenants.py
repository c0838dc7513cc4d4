# SPDX-License-Identifier: Apache-2.0
"""An os-ken application that isolates tenants: OpenFlow 1.3.

Ports are named TENANT-vm* (a virtual machine) or TENANT-tun* (a tunnel to
another host).  For each tenant, on each switch: what its VMs send goes to its
other VMs and tunnels; what its tunnels bring goes to its VMs only (never to
another tunnel).  Everything else is dropped by the table-miss rule.  Ports
that come later are taken in as they come.

Run:  osken-manager --ofp-tcp-listen-port 6653 two_tenants.py"""
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import (CONFIG_DISPATCHER, MAIN_DISPATCHER,
                                       set_ev_cls)
from os_ken.ofproto import ofproto_v1_3

PRIORITY = 100


class TwoTenants(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports = {}  # datapath id -> {port number: name}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def features(self, ev):
        dp = ev.msg.datapath
        parser = dp.ofproto_parser
        self.add_rule(dp, 0, parser.OFPMatch(), [])  # Table-miss: drop.
        dp.send_msg(parser.OFPPortDescStatsRequest(dp, 0))

    @set_ev_cls(ofp_event.EventOFPPortDescStatsReply, MAIN_DISPATCHER)
    def port_list(self, ev):
        dp = ev.msg.datapath
        self.ports[dp.id] = {p.port_no: p.name.decode() for p in ev.msg.body}
        self.program(dp)

    @set_ev_cls(ofp_event.EventOFPPortStatus, MAIN_DISPATCHER)
    def port_status(self, ev):
        dp, port = ev.msg.datapath, ev.msg.desc
        ports = self.ports.setdefault(dp.id, {})
        if ev.msg.reason == dp.ofproto.OFPPR_DELETE:
            ports.pop(port.port_no, None)
        else:
            ports[port.port_no] = port.name.decode()
        self.program(dp)

    def program(self, dp):
        """One rule per port; adding the same rule again changes nothing but
        its outputs."""
        ports = self.ports[dp.id]
        for number, name in sorted(ports.items()):
            tenant, _, kind = name.partition("-")
            if kind[:2] != "vm" and kind[:3] != "tun":
                continue
            mates = [n for n, other in sorted(ports.items()) if n != number
                     and other.startswith(tenant + "-vm")]
            if kind[:2] == "vm":
                mates += [n for n, other in sorted(ports.items())
                          if other.startswith(tenant + "-tun")]
            parser = dp.ofproto_parser
            self.add_rule(dp, PRIORITY, parser.OFPMatch(in_port=number),
                          [parser.OFPActionOutput(n) for n in mates])
            self.logger.info("switch %016x: %s (port %d) -> %s", dp.id, name,
                             number, [ports[n] for n in mates])

    @staticmethod
    def add_rule(dp, priority, match, actions):
        parser, ofproto = dp.ofproto_parser, dp.ofproto
        instructions = ([parser.OFPInstructionActions(
            ofproto.OFPIT_APPLY_ACTIONS, actions)] if actions else [])
        dp.send_msg(parser.OFPFlowMod(datapath=dp, priority=priority,
                                      match=match, instructions=instructions))
