#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 to two tenants on two hosts, on real traffic.
#
#   host 1 (namespace weft-qs-h1)              host 2 (namespace weft-qs-h2)
#   +--------------------------------+         +--------------------------------+
#   | blue VM      red VM            |         | blue VM      red VM            |
#   | 10.0.0.1     10.0.0.1  <- the same        | 10.0.0.2     10.0.0.2          |
#   |   |tap         |tap    addresses |         |   |tap         |tap            |
#   |  [ weftd: bridge br0 ]         |         |  [ weftd: bridge br0 ]         |
#   |   blue-tun VXLAN 5001  red-tun NVGRE 6001 |                                |
#   |  eth0 192.0.2.1 (the kernel's) |---------| eth0 192.0.2.2                 |
#   +--------------------------------+         +--------------------------------+
#   An os-ken controller on host 1 programs both switches over OpenFlow 1.3.
#
# usage: sudo ./quickstart.sh [--keep | --stop | --help]
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=utils/setup/setup.sh
. utils/setup/setup.sh

RUN=/run/weft-qs
BUILD=$PWD/build
HOSTS="1 2"
TENANTS="blue red"
PY=/usr/bin/python3
keep=no

usage() {
    cat <<'U'
usage: sudo ./quickstart.sh [--keep | --stop | --help]
  (nothing)  install what is needed, build, show two tenants on two hosts, clean up
  --keep     leave everything running and say how to look around
  --stop     end what --keep left running
U
}

vm() { echo "weft-qs-$1$2"; }       # vm blue 1 -> namespace of that VM
host() { echo "weft-qs-h$1"; }
on() { ip netns exec "$@"; }
ctl() { local h=$1; shift; "$BUILD/weftctl" --run-dir "$RUN/h$h" "$@"; }
dump() { local h=$1; shift; "$BUILD/weft-dump" --run-dir "$RUN/h$h" "$@"; }

# Ends processes we started, by the pid files we wrote, and removes what we
# made.  Safe to call at any point and twice.
clean_up() {
    local f pid ns
    for f in "$RUN"/*.pid; do
        [ -f "$f" ] || continue
        pid=$(cat "$f")
        kill "$pid" 2>/dev/null || continue
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null
    done
    for ns in $(ip netns list 2>/dev/null | awk '/^weft-qs-/ {print $1}'); do
        ip netns del "$ns"
    done
    rm -rf "$RUN"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "$what did not happen in time; logs are in $RUN"
        sleep 0.1
    done
}

start() {  # start NAME NAMESPACE COMMAND...: in the background, with pid file
    local name=$1 ns=$2
    shift 2
    ip netns exec "$ns" "$@" >"$RUN/$name.log" 2>&1 </dev/null &
    echo $! >"$RUN/$name.pid"
}

make_hosts() {
    mkdir -p "$RUN"
    local h t
    for h in $HOSTS; do
        ip netns add "$(host "$h")"
        ip -n "$(host "$h")" link set lo up
        for t in $TENANTS; do
            ip netns add "$(vm "$t" "$h")"
            ip -n "$(vm "$t" "$h")" link set lo up
        done
    done
    ip -n "$(host 1)" link add eth0 type veth peer name eth0 \
        netns "$(host 2)"
    for h in $HOSTS; do
        ip -n "$(host "$h")" addr add "192.0.2.$h/24" dev eth0
        ip -n "$(host "$h")" link set eth0 up
    done
}

start_controller() {
    start controller "$(host 1)" "$PY" /usr/bin/osken-manager \
        --ofp-listen-host 192.0.2.1 --ofp-tcp-listen-port 6653 \
        docs/examples/two_tenants.py
}

start_switch() {  # one host's weftd, its ports, its controller
    local h=$1 peer=$((3 - $1)) t
    mkdir -p "$RUN/h$h"
    start "weftd$h" "$(host "$h")" "$BUILD/weftd" --run-dir "$RUN/h$h" \
        --no-state
    wait_for 20 "weftd on host $h" ctl "$h" ping
    ctl "$h" add-br br0 dpid="$h" \
        -- add-uplink eth0 \
        -- add-port br0 blue-tun type=vxlan local="192.0.2.$h" \
            remote="192.0.2.$peer" key=5001 \
        -- add-port br0 red-tun type=nvgre local="192.0.2.$h" \
            remote="192.0.2.$peer" key=6001 \
        || fail "weftctl refused, see above"
    for t in $TENANTS; do
        ctl "$h" add-port br0 "$t-vm" type=tap netns="$(vm "$t" "$h")" \
            mac="02:00:00:00:00:0$h" mtu=1450 || fail "weftctl refused"
        ip -n "$(vm "$t" "$h")" addr add "10.0.0.$h/24" dev "$t-vm"
        ip -n "$(vm "$t" "$h")" link set "$t-vm" up
    done
    ctl "$h" set-controller br0 tcp:192.0.2.1:6653 || fail "weftctl refused"
}

programmed() {  # the controller's four port rules and the table-miss rule
    [ "$(dump "$1" flows br0 | grep -c actions=)" -ge 5 ]
}

try_ping() {
    local out
    out=$(on "$(vm "$1" 1)" ping -c 20 -i 0.05 -W 2 10.0.0.2 2>&1) \
        || { note "$out"; fail "$1: ping from host 1 to host 2 failed"; }
    printf '    %-5s ping   10.0.0.1 -> 10.0.0.2   %s\n' "$1" \
        "$(echo "$out" | awk -F' = ' '/rtt/ {split($2, a, "/"); ok = a[2] " ms"} /received/ {split($0, b, ", "); got = b[2]} END {print got ", average " ok}')"
}

try_tcp() {
    local out rate
    start "iperf-$1" "$(vm "$1" 2)" iperf3 -s -1
    wait_for 5 "iperf3's listening" \
        on "$(vm "$1" 2)" sh -c "ss -Hltn 'sport = :5201' | grep -q LISTEN"
    out=$(on "$(vm "$1" 1)" iperf3 -c 10.0.0.2 -t 3 -f m 2>&1) \
        || { note "$out"; fail "$1: the TCP transfer failed"; }
    rate=$(echo "$out" | awk '/receiver/ {print $7, $8}')
    printf '    %-5s TCP    10.0.0.1 -> 10.0.0.2   %s\n' "$1" "$rate"
}

# Blue sends marked pings; red, with the very same addresses, listens.
try_leak() {
    local from=$1 to=$2 mark=$3 seen h
    for h in $HOSTS; do
        ip netns exec "$(vm "$to" "$h")" tcpdump -i "$to-vm" -nn -x -l icmp \
            >"$RUN/leak$h.txt" 2>"$RUN/tcpdump$h.log" </dev/null &
        echo $! >"$RUN/tcpdump$h.pid"
    done
    for h in $HOSTS; do
        wait_for 5 "tcpdump" grep -q listening "$RUN/tcpdump$h.log"
    done
    on "$(vm "$from" 1)" ping -c 50 -i 0.01 -p "$mark" 10.0.0.2 >/dev/null \
        || fail "$from: ping failed during the leak test"
    sleep 0.5
    for h in $HOSTS; do
        kill "$(cat "$RUN/tcpdump$h.pid")"
        rm -f "$RUN/tcpdump$h.pid"
    done
    seen=$(cat "$RUN"/leak?.txt | grep -c "$mark $mark $mark")
    [ "$seen" = 0 ] || fail "$seen packets of $from reached $to"
    printf '    %-5s 50 marked pings sent, seen in %s: 0\n' "$from" "$to"
}

show() {
    say "What host 1's switch says"
    local what
    for what in flows cache tunnels drops; do
        note "weft-dump $what"
        dump 1 "$what" br0 | sed 's/^/      /'
    done
}

look_around() {
    cat <<U

    Everything is still running.  Look around:
      export WEFT_RUN_DIR=$RUN/h1
      $BUILD/weft-dump flows br0            $BUILD/weft-dump cache br0 --watch
      $BUILD/weft-dump tunnels              $BUILD/weft-dump drops
      $BUILD/weftctl show
      sudo ip netns exec $(vm blue 1) ping 10.0.0.2
    End it:  sudo ./quickstart.sh --stop
U
}

case ${1:-} in
"") ;;
--keep) keep=yes ;;
--stop) need_root; clean_up; echo "quickstart.sh: stopped and removed"; exit ;;
--help | -h) usage; exit ;;
*) usage >&2; exit 2 ;;
esac

need_root
SETUP_LOG=$(mktemp /tmp/weft-setup.XXXXXX)
say "Packages"
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES $RUN_PACKAGES
check_kernel
huge_page_note
say "Build (log: build/build.log)"
build_tree build

clean_up  # What an earlier run left.
trap clean_up EXIT
trap 'exit 130' INT TERM
say "Two hosts, two tenants, four VMs, one controller"
make_hosts
start_controller
for h in $HOSTS; do start_switch "$h"; done
for h in $HOSTS; do
    wait_for 30 "the controller's programming of host $h" programmed "$h"
done
note "both switches are programmed"

say "Same addresses, two networks"
for t in $TENANTS; do try_ping "$t"; done
for t in $TENANTS; do try_tcp "$t"; done
try_leak blue red b1b1
try_leak red blue 4ed0
show

say "It works: blue over VXLAN 5001 and red over NVGRE 6001, programmed by os-ken"
if [ $keep = yes ]; then
    trap - EXIT
    look_around
else
    note "next: README.md (your own overlay in ten lines), ./quickstart.sh --keep, man docs/weftctl.8"
fi
rm -f "$SETUP_LOG"
