# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What quickstart.sh and runtests.sh share: packages, build, messages.
# Source it from the top of the tree.

BUILD_PACKAGES="build-essential autoconf automake pkg-config python3 clang
    llvm bpftool libdpdk-dev libpcap-dev libbpf-dev libxdp-dev libelf-dev
    zlib1g-dev libevent-dev libssl-dev libjansson-dev libsqlite3-dev
    libmnl-dev check"
RUN_PACKAGES="iproute2 iputils-ping iperf3 tcpdump procps python3-os-ken"
TEST_PACKAGES="openvswitch-switch openvswitch-switch-dpdk python3-scapy
    python3-openflow ethtool libclang-rt-14-dev openssl xz-utils"

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
note() { printf '    %s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

need_root() {
    [ "$(id -u)" = 0 ] || fail "needs root (network namespaces, taps, packages): run 'sudo $0'"
}

# Names of the packages given that are not installed.
missing_packages() {
    local p
    for p in "$@"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null \
            | grep -q 'install ok installed' || echo "$p"
    done
}

install_packages() {
    command -v apt-get >/dev/null || fail "apt-get not found: Weft's scripts set up Debian 12; on another system install by hand: $*"
    local missing
    missing=$(missing_packages "$@" | tr '\n' ' ')
    [ -n "$missing" ] || { note "all packages are there"; return; }
    note "installing: $missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >>"$SETUP_LOG" 2>&1 \
        || fail "apt-get update failed, see $SETUP_LOG: is a Debian mirror configured and in reach?"
    # What a package's start script would start is not wanted here: the peers
    # run privately, in namespaces.
    # shellcheck disable=SC2086
    RUNLEVEL=1 apt-get install -y -q --no-install-recommends $missing \
        >>"$SETUP_LOG" 2>&1 \
        || fail "apt-get install failed, see the end of $SETUP_LOG"
}

# Names in one line what the kernel lacks, and what to do.
check_kernel() {
    [ -c /dev/net/tun ] || modprobe tun 2>/dev/null
    [ -c /dev/net/tun ] || fail "/dev/net/tun is missing: 'modprobe tun', or start the container with --device /dev/net/tun"
    local ns=weft-probe-$$ why
    why=$(ip netns add "$ns" 2>&1) \
        || fail "cannot make network namespaces ($why): run as root outside an unprivileged container (CAP_SYS_ADMIN is needed)"
    why=$(ip -n "$ns" link add p0 type veth peer name p1 2>&1) || {
        ip netns del "$ns"
        fail "cannot make a veth in a namespace ($why): 'modprobe veth', or a container that may mount"
    }
    ip netns del "$ns"
}

huge_page_note() {
    local free
    free=$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages \
           2>/dev/null || echo 0)
    if [ "$free" -gt 0 ]; then note "$free huge pages of 2 MiB are free: they will be used"
    else note "no huge pages reserved: running without (fine; for speed: sysctl vm.nr_hugepages=256)"; fi
}

# build_tree DIR [configure words]: out-of-tree build, log in DIR/build.log.
build_tree() {
    local dir=$1 log
    shift
    mkdir -p "$dir"
    log=$(cd "$dir" && pwd)/build.log
    [ -x configure ] && [ configure -nt configure.ac ] \
        && [ configure -nt Makefile.am ] \
        || ./autogen.sh >"$log" 2>&1 || fail "autogen.sh failed, see $log"
    local top=$PWD
    (
        cd "$dir" || exit 1
        if [ ! -f config.status ] || [ "$top/configure" -nt config.status ]; then
            "$top/configure" --quiet "$@" >>"$log" 2>&1 \
                || { tail -n 3 "$log" >&2; exit 1; }
        fi
        make -j"$(nproc)" >>"$log" 2>&1 || { tail -n 15 "$log" >&2; exit 1; }
    ) || fail "the build in $dir failed, see $log"
}
