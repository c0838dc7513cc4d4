#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Open vSwitch with its userspace datapath as the switch under test: the peer
# that Weft is measured beside.  Arguments and environment: target-weft.sh.
# It runs from a folder of its own and leaves a system's service alone.
set -eu

run=$CF_RUN/ovs
export OVS_RUNDIR=$run OVS_DBDIR=$run OVS_LOGDIR=$run OVS_SYSCONFDIR=$run
quiet=(-vconsole:off -vsyslog:off)

alive() {
    [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null \
        && ! grep -q "^State:.Z" "/proc/$(cat "$1")/status"
}

vsctl() {
    ovs-vsctl --db="unix:$run/db.sock" --timeout=10 "$@"
}

start() {
    local n=0

    mkdir -p "$run"
    ovsdb-tool create "$run/conf.db" \
        /usr/share/openvswitch/vswitch.ovsschema
    ovsdb-server "$run/conf.db" --remote="punix:$run/db.sock" \
        --pidfile="$run/db.pid" --unixctl="$run/db.ctl" --detach --no-chdir \
        --log-file="$run/db.log" "${quiet[@]}"
    vsctl --no-wait init
    ovs-vswitchd "unix:$run/db.sock" --pidfile="$run/vs.pid" \
        --unixctl="$run/vs.ctl" --detach --no-chdir \
        --log-file="$run/vs.log" "${quiet[@]}"
    vsctl add-br cf0 -- set bridge cf0 datapath_type=netdev fail_mode=secure \
        "other-config:datapath-id=$CF_DPID" \
        other-config:disable-in-band=true "protocols=$CF_OFVER"
    for p in $CF_PORTS; do
        n=$((n + 1))
        vsctl add-port cf0 "$p" -- set interface "$p" "ofport_request=$n"
    done
    # A passive controller is a "service" one by default: no packet-ins.
    vsctl set-controller cf0 "$CF_CONTROLLER" \
        -- set controller cf0 type=primary inactivity_probe=30000 \
        controller_rate_limit=100000 controller_burst_limit=100000
}

stop() {
    [ -S "$run/vs.ctl" ] \
        && ovs-appctl -t "$run/vs.ctl" exit --cleanup >/dev/null 2>&1 || true
    for f in "$run/vs.pid" "$run/db.pid"; do
        for _ in $(seq 30); do
            alive "$f" || break
            [ "$f" = "$run/vs.pid" ] || kill "$(cat "$f")" || true
            sleep 0.1
        done
        ! alive "$f" || kill -9 "$(cat "$f")"
    done
}

case $1 in
start) start ;;
stop) stop ;;
check) alive "$run/vs.pid" ;;
*) echo "usage: $0 start|stop|check" >&2; exit 2 ;;
esac
