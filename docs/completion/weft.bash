# SPDX-License-Identifier: Apache-2.0
# Completion for weftctl and weft-dump: names come from the running daemon.

_weft_names() { # KIND [BRIDGE]
    local args=()
    [ -n "$_weft_dir" ] && args=(--run-dir "$_weft_dir")
    weftctl "${args[@]}" list "$@" 2>/dev/null
}

# Sets _weft_dir, and words from the last "--" on in _weft_words.
_weft_line() {
    local i
    _weft_dir=
    _weft_words=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --run-dir) _weft_dir=${COMP_WORDS[++i]} ;;
        --) _weft_words=() ;;
        --*) ;;
        =) ;;
        *) _weft_words+=("${COMP_WORDS[i]}") ;;
        esac
    done
}

_weftctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} words= n
    [ "${COMP_WORDS[COMP_CWORD - 1]}" = --run-dir ] && {
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
    }
    _weft_line
    n=${#_weft_words[@]}
    case $n:${_weft_words[0]} in
    0:*)
        words="add-br del-br set-br add-port del-port set-port set-queue
            del-queue add-net del-net add-peer del-peer add-uplink del-uplink set-controller del-controller set-fail-mode apply show
            list get export trace version ping macs-flush set-log exit
            add-flow add-flows mod-flows del-flows packet-out
            dump-flows diff-flows replace-flows add-group add-groups
            mod-group del-groups insert-buckets remove-buckets dump-groups
            dump-group-stats add-meter add-meters mod-meter del-meters del-meter
            dump-meters meter-stats bundle monitor mod-port
            mod-table dump-table-desc dump-table-features
            --json --run-dir --may-exist --if-exists --help --version" ;;
    1:del-br | 1:del-net | 1:add-peer | 1:del-peer | 1:set-br | 1:add-port | 1:set-controller | \
    1:del-controller | 1:set-fail-mode | 1:macs-flush | 1:trace | \
    1:add-flow | 1:add-flows | 1:mod-flows | 1:del-flows | 1:packet-out | \
    1:dump-flows | 1:diff-flows | 1:replace-flows | 2:diff-flows | \
    1:*-group | 1:*-groups | 1:*-buckets | 1:dump-group-stats | \
    1:*-meter | 1:*-meters | 1:meter-stats | 1:bundle | \
    1:monitor | 1:mod-port | 1:mod-table | 1:dump-table-*)
        words=$(_weft_names br) ;;
    1:del-port | 1:set-port | 1:set-queue | 1:del-queue)
        words="$(_weft_names br) $(_weft_names port)" ;;
    2:del-port | 2:set-port | 2:set-queue | 2:del-queue)
        words=$(_weft_names port "${_weft_words[1]}") ;;
    1:del-uplink) words=$(_weft_names uplink) ;;
    1:add-uplink) words=$(ls /sys/class/net 2>/dev/null) ;;
    1:list | 1:get) words="br port uplink" ;;
    2:list) words=$(_weft_names br) ;;
    2:get) words=$(_weft_names "${_weft_words[1]}") ;;
    2:set-fail-mode) words="secure standalone hold" ;;
    1:set-log) words="err warn info debug" ;;
    1:apply | 2:add-flows | 2:replace-flows | 2:add-groups | 2:add-meters | \
    2:bundle)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    *:set-controller)
        compopt -o nospace
        words="tcp: tls: unix: ptcp: ptls: punix:" ;;
    *:add-br | *:set-br)
        compopt -o nospace
        words="dpid= fail-mode= protocols= probe-interval= min-backoff=
            max-backoff= max-queue= max-connections= aux-connections= mac-age= mac-limit=
            private-key= certificate= ca-cert=" ;;
    *:add-port)
        compopt -o nospace
        words="type=tap type=internal type=netdev type=dpdk type=pcap
            type=patch type=vxlan type=nvgre type=geneve ofport= mac= mtu= netns=
            remote= local= key= devargs= peer= rx= tx=" ;;
    *:add-uplink)
        compopt -o nospace
        words="type=netdev type=dpdk mode= devargs= address= gateway=" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

_weft_dump() {
    local cur=${COMP_WORDS[COMP_CWORD]} words=
    [ "${COMP_WORDS[COMP_CWORD - 1]}" = --run-dir ] && {
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
    }
    _weft_line
    case ${#_weft_words[@]} in
    0) words="flows cache ports tunnels vteps macs workers controllers drops tables
            groups meters queues
            uplinks --json --watch --run-dir --help --version" ;;
    1) words="$(_weft_names br) --json --watch" ;;
    *) words="--json --watch" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _weftctl weftctl
complete -F _weft_dump weft-dump
