# SPDX-License-Identifier: Apache-2.0
"""An os-ken controller that a test tells what to ask of its switch.

What:    osken-manager runs the session; a line of JSON on the Unix socket
         $OSKEN_SOCKET, [message, ...] in os-ken's own JSON form, is sent to
         the switch with a barrier behind it.  The answer is a line of JSON:
         all that the switch said until the barrier's reply, also what it said
         unasked since the line before.
Version: $OSKEN_VERSION: 3, 4 or 5 for OpenFlow 1.3, 1.4 or 1.5."""
import importlib
import json
import os

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub
from os_ken.ofproto import ofproto_parser

EV = ofp_event
VERSION = importlib.import_module("os_ken.ofproto.ofproto_v1_"
                                  + os.environ["OSKEN_VERSION"])
PATIENCE = 10  # Seconds that a barrier's reply may take.
HEARD = [EV.EventOFPErrorMsg, EV.EventOFPGroupStatsReply,
         EV.EventOFPGroupDescStatsReply, EV.EventOFPGroupFeaturesStatsReply,
         EV.EventOFPMeterStatsReply, EV.EventOFPMeterConfigStatsReply,
         EV.EventOFPMeterDescStatsReply, EV.EventOFPMeterFeaturesStatsReply,
         EV.EventOFPRequestForward, EV.EventOFPFlowRemoved]


class Remote(app_manager.OSKenApp):
    OFP_VERSIONS = [VERSION.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.switches, self.heard = hub.Queue(), []
        self.barriers = hub.Queue()

    def start(self):
        super().start()
        return hub.spawn(self.serve)

    @set_ev_cls(ofp_event.EventOFPStateChange, MAIN_DISPATCHER)
    def connected(self, ev):
        self.switches.put(ev.datapath)

    @set_ev_cls(HEARD)
    def hear(self, ev):
        self.heard.append(ev.msg.to_jsondict())

    @set_ev_cls(ofp_event.EventOFPBarrierReply, MAIN_DISPATCHER)
    def barrier(self, ev):
        self.barriers.put(ev.msg.xid)

    def ask(self, dp, messages):
        for m in messages:
            dp.send_msg(ofproto_parser.ofp_msg_from_jsondict(dp, m))
        barrier = dp.ofproto_parser.OFPBarrierRequest(dp)
        dp.send_msg(barrier)
        while self.barriers.get(timeout=PATIENCE) != barrier.xid:
            pass
        said, self.heard = self.heard, []
        return said

    def serve(self):
        listener = hub.socket.socket(hub.socket.AF_UNIX)
        listener.bind(os.environ["OSKEN_SOCKET"])
        listener.listen(1)
        dp = self.switches.get()
        peer = listener.accept()[0].makefile("rw")
        for line in peer:
            # An error's data is a bytearray.
            json.dump(self.ask(dp, json.loads(line)), peer,
                      default=bytearray.hex)
            peer.write("\n")
            peer.flush()
