# ns.sh - network namespaces for tests, to be sourced by a bash script run as root.
#
#   . tests/net/ns.sh
#   ns_begin e2e                     # names are e2e<pid>-..., removed on exit whatever happens
#   ns_add srv; ns_add c1
#   ns_relay c1 srv 1 loss=5 delay=50   # c1 10.<n>.1.1 fd<n>:1::1 -- relay -- srv 10.<n>.1.2 ...
#   ns_ctl c1 srv delay=100             # change it while it runs; ns_stat c1 srv prints counters
#   ns_run c1 ping -c 3 "$(ns_ip4 1 2)"
#   ns_hosts c1 "203.0.113.7 class.example.org"   # names, as nothing outside answers for them
#
# Every name and address of a run starts with the run's prefix or its own 10.x network, so that
# runs side by side do not meet. Background processes given to ns_spawn end with the run.

NS_RELAY_BIN=${NS_RELAY_BIN:-build/tests/relay}

ns_die() {
    echo "ns: $*" >&2
    exit 1
}

# ns_begin TAG: choose the names of this run and make sure they go away with it.
ns_begin() {
    [ "$(id -u)" = 0 ] || ns_die "needs root"
    [ -x "$NS_RELAY_BIN" ] || ns_die "no relay at $NS_RELAY_BIN (make build/tests/relay)"
    NS_PREFIX="$1$$"
    NS_DIR=$(mktemp -d "/tmp/ns-$NS_PREFIX-XXXXXX")
    NS_NAMES=()
    NS_PIDS=()
    declare -gA NS_RELAY_PID=()
    # Second byte of all addresses: taken by creating a directory, so two runs cannot share it.
    local n
    for n in $(seq 64 250); do
        if mkdir "/run/ns-net-$n" 2>/dev/null; then
            NS_NET=$n
            break
        fi
        # A run that was killed hard leaves its claim; take it over when its owner is gone.
        if [ ! -d "/proc/$(cat "/run/ns-net-$n/pid" 2>/dev/null || echo 1)" ]; then
            NS_NET=$n
            break
        fi
    done
    [ -n "${NS_NET:-}" ] || ns_die "no free network number"
    echo $$ >"/run/ns-net-$NS_NET/pid"
    trap ns_end EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# ns_end: stop what the run started and remove its namespaces. Runs by itself on exit.
ns_end() {
    local status=$? pid name
    trap - EXIT
    for pid in "${NS_PIDS[@]}"; do
        kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    for name in "${NS_NAMES[@]}"; do
        # What still lives inside would keep the namespace alive.
        for pid in $(ip netns pids "$name" 2>/dev/null); do
            kill -KILL "$pid" 2>/dev/null
        done
        ip netns del "$name" 2>/dev/null
    done
    rm -rf "$NS_DIR" "/run/ns-net-$NS_NET"
    exit "$status"
}

ns_name() { echo "$NS_PREFIX-$1"; }
ns_ip4() { echo "10.$NS_NET.$1.$2"; }
ns_ip6() { printf 'fd%02x:%x::%x\n' "$NS_NET" "$1" "$2"; }

# ns_add NAME: a namespace with loopback up.
ns_add() {
    local full
    full=$(ns_name "$1")
    ip netns add "$full" || ns_die "cannot add namespace $full"
    NS_NAMES+=("$full")
    # No duplicate address detection: addresses are usable at once.
    ip netns exec "$full" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
        net.ipv6.conf.default.accept_dad=0
    ip -n "$full" link set lo up
}

# ns_hosts NAME "ADDRESS HOST..."...: what names mean inside, and nothing else answers for them.
ns_hosts() {
    local name=$1
    shift
    printf '%s\n' '127.0.0.1 localhost' "$@" >"$NS_DIR/hosts-$name"
    echo 'nameserver 127.0.0.1' >"$NS_DIR/resolv"
    printf '#!/bin/sh\nmount --bind "%s" /etc/hosts && mount --bind "%s" /etc/resolv.conf && exec "$@"\n' \
        "$NS_DIR/hosts-$name" "$NS_DIR/resolv" >"$NS_DIR/names-$name"
    chmod +x "$NS_DIR/names-$name"
}

# The command before every command inside: `ip netns exec` gives each a file system view of its own.
ns_prefix() {
    NS_EXEC=(ip netns exec "$(ns_name "$1")")
    [ ! -e "$NS_DIR/names-$1" ] || NS_EXEC+=("$NS_DIR/names-$1")
}

# ns_run NAME CMD...: run in the foreground inside.
ns_run() {
    ns_prefix "$1"
    shift
    "${NS_EXEC[@]}" "$@"
}

# ns_spawn NAME CMD...: run in the background in a process group of its own; sets NS_PID.
ns_spawn() {
    ns_prefix "$1"
    shift
    setsid "${NS_EXEC[@]}" "$@" &
    NS_PID=$!
    NS_PIDS+=("$NS_PID")
}

# ns_address NAME DEVICE NET HOST: IPv4 /24 and IPv6 /64 on a device, and bring it up.
ns_address() {
    local full
    full=$(ns_name "$1")
    ip -n "$full" addr add "$(ns_ip4 "$3" "$4")/24" dev "$2"
    ip -n "$full" addr add "$(ns_ip6 "$3" "$4")/64" dev "$2" nodad
    ip -n "$full" link set "$2" up mtu 1500
}

# ns_link A B NET: a plain veth between two namespaces; A is host 1, B host 2.
ns_link() {
    ip link add "va$3" netns "$(ns_name "$1")" type veth peer name "vb$3" netns "$(ns_name "$2")"
    ns_address "$1" "va$3" "$3" 1
    ns_address "$2" "vb$3" "$3" 2
}

# ns_relay A B NET WORD...: an impaired link; A is host 1 and sends in direction "ab".
ns_relay() {
    local a=$1 b=$2 net=$3 base="$NS_DIR/$1-$2"
    shift 3
    mkfifo "$base.in"
    # Held open for reading and writing: the relay's stdin never ends before the run does.
    local fd
    exec {fd}<>"$base.in"
    setsid "$NS_RELAY_BIN" tun "$(ns_name "$a"):ra$net" "$(ns_name "$b"):rb$net" \
        ${NS_PCAP:+--pcap "$NS_PCAP"} ${NS_SCHEDULE:+--schedule "$NS_SCHEDULE"} "$@" \
        <"$base.in" >"$base.out" 2>"$base.err" &
    NS_RELAY_PID["$a-$b"]=$!
    NS_PIDS+=("$!")
    ns_wait_line "$base.out" '^ready$' 1 || ns_die "relay $a-$b: $(cat "$base.err")"
    ns_address "$a" "ra$net" "$net" 1
    ns_address "$b" "rb$net" "$net" 2
}

# ns_wait_line FILE REGEX COUNT: wait until COUNT lines match; 5 s.
ns_wait_line() {
    local end=$((SECONDS + 5)) seen
    while seen=$(grep -cE "$2" "$1" 2>/dev/null); [ "${seen:-0}" -lt "$3" ]; do
        [ "$SECONDS" -lt "$end" ] || return 1
        read -rt 0.02 <> <(:) || true
    done
}

# ns_ctl A B WORD...: change a relay and wait for its answer.
ns_ctl() {
    local base="$NS_DIR/$1-$2" seen
    shift 2
    seen=$(wc -l <"$base.out")
    echo "$*" >"$base.in"
    ns_wait_line "$base.out" '' $((seen + 1)) || ns_die "relay does not answer: $*"
    local answer
    answer=$(sed -n "$((seen + 1))p" "$base.out")
    case $answer in
    error*) ns_die "relay: $answer" ;;
    ok) ;;
    *) echo "$answer" ;;
    esac
}

# ns_stat A B: the counters as one JSON object.
ns_stat() { ns_ctl "$1" "$2" stat; }

# ns_route NAME NET HOST: default routes of both families through that address.
ns_route() {
    ip -n "$(ns_name "$1")" route replace default via "$(ns_ip4 "$2" "$3")"
    ip -n "$(ns_name "$1")" -6 route replace default via "$(ns_ip6 "$2" "$3")"
}

# ns_router NAME: forward between its links.
ns_router() {
    ns_run "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# ns_dnat ROUTER IP_SEEN IP_TRUE: 1:1 address translation, as in front of a rented machine; what
# is sent to IP_SEEN arrives at IP_TRUE, and what IP_TRUE sends comes from IP_SEEN.
ns_dnat() {
    ns_run "$1" iptables -t nat -A PREROUTING -d "$2" -j DNAT --to-destination "$3"
    ns_run "$1" iptables -t nat -A POSTROUTING -s "$3" -j SNAT --to-source "$2"
}

# ns_masquerade ROUTER DEVICE: a home router: clients behind it share the device's address.
ns_masquerade() {
    ns_run "$1" iptables -t nat -A POSTROUTING -o "$2" -j MASQUERADE --random
    ns_run "$1" ip6tables -t nat -A POSTROUTING -o "$2" -j MASQUERADE --random
}

# ns_change_address NAME DEVICE NET OLD NEW: a handover; the old addresses are gone.
ns_change_address() {
    local full
    full=$(ns_name "$1")
    ip -n "$full" addr add "$(ns_ip4 "$3" "$5")/24" dev "$2"
    ip -n "$full" addr add "$(ns_ip6 "$3" "$5")/64" dev "$2" nodad
    ip -n "$full" addr del "$(ns_ip4 "$3" "$4")/24" dev "$2"
    ip -n "$full" addr del "$(ns_ip6 "$3" "$4")/64" dev "$2"
    # The first address of a subnet goes and takes the second with it unless promoted.
    ip -n "$full" addr replace "$(ns_ip4 "$3" "$5")/24" dev "$2"
}
