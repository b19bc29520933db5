#!/bin/bash
# netns.sh - the program behind 1:1 address translation, over IPv6 alone, and over TCP alone.
# Three namespaces: srv (private addresses) -- rt (translates 203.0.113.9) -- c1 (dual stack) and
# c6 (IPv6 only). Needs root, `make relay web build/amphi`.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ "$(id -u)" = 0 ] || exec sudo -n --preserve-env=AMPHI_E2E_MODULES,AMPHI_E2E_BINARY "$0" "$@"
. tests/net/ns.sh

ns_begin nx
for name in c1 c6 rt srv; do ns_add "$name"; done
ns_relay c1 rt 1 delay=5
ns_relay c6 rt 2 delay=5
ns_link rt srv 3
ns_router rt
ns_route c1 1 2
ns_route srv 3 1
ip -n "$(ns_name c6)" addr del "$(ns_ip4 2 1)/24" dev ra2
ip -n "$(ns_name c6)" -6 route replace default via "$(ns_ip6 2 2)"
ns_dnat rt 203.0.113.9 "$(ns_ip4 3 2)"
server4=$(ns_ip4 3 2)
server6=$(ns_ip6 3 2)

passed=0
failed=0
# Without a name, those that share this network; handover, hidden and udp-dies are played by name.
wanted=${1:-}
tried=0
# one CLIENT SCENARIO HOST ADMIN VARIABLE...
one() {
    local client=$1 scenario=$2 host=$3 admin=$4 out
    shift 4
    case $wanted in "" | "${scenario#*:}") ;; *) return ;; esac
    tried=$((tried + 1))
    out=$(ns_run "$client" env AMPHI_E2E_NETNS="$(ns_name srv)" AMPHI_E2E_HOST="$host" \
        AMPHI_E2E_ADMIN="$admin" "$@" tests/e2e/run "$scenario")
    echo "$out" | sed '$d'
    case $(echo "$out" | tail -1) in
    "1 passed, 0 failed") passed=$((passed + 1)) ;;
    *) failed=$((failed + 1)) ;;
    esac
}

one c1 netns:dnat 203.0.113.9 "$server4" \
    AMPHI_E2E_MEDIA="$server4" AMPHI_E2E_EXTERNAL=203.0.113.9
one c6 netns:ipv6 "[$server6]" "[$server6]" AMPHI_E2E_MEDIA="$server4,$server6"
if [ "$wanted" = handover ] || [ "$wanted" = hidden ]; then
    # A telephone: Wi-Fi, and a mobile network that is not up yet.
    ns_add c7
    ns_link c7 rt 5
    ns_link c7 rt 6
    ip -n "$(ns_name c7)" link set va6 down
    ns_route c7 5 2
    one c7 "netns:$wanted" "$server4" "$server4" AMPHI_E2E_MEDIA="$server4" \
        AMPHI_E2E_HANDOVER="va5 va6 $(ns_ip4 6 2)"
elif [ "$wanted" = udp-dies ]; then
    # The firewall closes in the middle of a class.
    one c1 netns:udp-dies 203.0.113.9 "$server4" AMPHI_E2E_ROUTER="$(ns_name rt)" \
        AMPHI_E2E_MEDIA="$server4" AMPHI_E2E_EXTERNAL=203.0.113.9
fi
# A firewall that lets no UDP pass: media takes ICE-TCP on the same port number.
ns_run rt iptables -A FORWARD -p udp -j DROP
one c1 netns:tcp-only 203.0.113.9 "$server4" \
    AMPHI_E2E_MEDIA="$server4" AMPHI_E2E_EXTERNAL=203.0.113.9
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$tried" -gt 0 ]
