#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Weft as the switch under test of a foreign OpenFlow suite.
#
# Usage: target-weft.sh start|stop|check, in the namespace of the switch, with
#   WEFT_BUILD     folder with weftd and weftctl (default: the working folder)
#   CF_RUN         folder for the daemon's files
#   CF_PORTS       interface names; the n-th becomes OpenFlow port n
#   CF_PORTKIND    veth: the interfaces exist; tap: weftd makes them
#   CF_CONTROLLER  tcp:HOST:PORT or ptcp:PORT:HOST
#   CF_DPID        16 hexadecimal digits
#   CF_OFVER       OpenFlow10, OpenFlow13, OpenFlow14 or OpenFlow15
# check exits 0 while the daemon lives.
set -eu

build=${WEFT_BUILD:-.}
run=$CF_RUN/weft

ctl() {
    "$build/weftctl" --run-dir "$run" "$@"
}

alive() {
    [ -f "$run/pid" ] && kill -0 "$(cat "$run/pid")" 2>/dev/null \
        && ! grep -q "^State:.Z" "/proc/$(cat "$run/pid")/status"
}

start() {
    local n=0 kind=netdev

    [ "$CF_PORTKIND" != tap ] || kind=tap
    mkdir -p "$run"
    setsid "$build/weftd" --run-dir "$run" --no-state --pidfile "$run/pid" \
        >"$run/log" 2>&1 </dev/null &
    for _ in $(seq 100); do
        ! ctl ping >/dev/null 2>&1 || break
        sleep 0.1
    done
    ctl add-br br0 "dpid=$CF_DPID"
    ctl set-br br0 "protocols=$CF_OFVER"
    for p in $CF_PORTS; do
        n=$((n + 1))
        ctl add-port br0 "$p" "type=$kind" "ofport=$n"
    done
    ctl set-controller br0 "$CF_CONTROLLER"
}

stop() {
    alive || return 0
    kill "$(cat "$run/pid")"
    for _ in $(seq 50); do
        alive || return 0
        sleep 0.1
    done
    echo "weftd did not end within 5 s" >&2
    kill -9 "$(cat "$run/pid")"
    return 1
}

case $1 in
start) start ;;
stop) stop ;;
check) alive ;;
*) echo "usage: $0 start|stop|check" >&2; exit 2 ;;
esac
