#!/bin/bash
# relay_test.sh - the relay and the namespace library at work: prints one figure per property.
# Needs root for the namespaces, and `make relay` before.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ "$(id -u)" = 0 ] || exec sudo -n "$0" "$@"
. tests/net/ns.sh

passed=0
failed=0
check() { # NAME CONDITION FIGURE
    if [ "$2" = 1 ]; then
        echo "ok $1: $3"
        passed=$((passed + 1))
    else
        echo "FAIL $1: $3"
        failed=$((failed + 1))
    fi
}
# Lower bounds are exact: nothing may arrive too early. Upper ones leave room for a busy machine.
within() { awk -v v="$1" -v lo="$2" -v hi="$3" 'BEGIN { print (v >= lo && v <= hi) ? 1 : 0 }'; }
# json TEXT KEY...: one value out of a JSON object.
json() {
    node -e 'let v = JSON.parse(process.argv[1]); for (const k of process.argv.slice(2)) v = v[k];
        console.log(v ?? 0)' "$@"
}
# ask NAME HOST COUNT GAP_MS SIZE
ask() { ns_run "$1" node tests/net/probe.mjs ask "$2" 7000 "$3" "$4" "$5"; }
rtt() { json "$(ask "$1" "$2" 20 10 64)" min_ms; }

ns_begin rt
for name in c1 rt srv; do ns_add "$name"; done
ns_relay c1 rt 1 seed=7
ns_link rt srv 2
ns_router rt
ns_route c1 1 2
ns_route srv 2 1
far4=$(ns_ip4 2 2)
far6=$(ns_ip6 2 2)
ns_spawn srv node tests/net/probe.mjs echo 7000 >"$NS_DIR/echo.out"
ns_wait_line "$NS_DIR/echo.out" listening 1 || ns_die "no echo"

near=$(rtt c1 "$far4")
check perfect_link "$(within "$near" 0.01 50)" "rtt $near ms"
ns_ctl c1 rt delay=50
v4=$(rtt c1 "$far4")
v6=$(rtt c1 "$far6")
check delay_ipv4 "$(within "$v4" 100 150)" "rtt $v4 ms at 50 ms each way"
check delay_ipv6 "$(within "$v6" 100 150)" "rtt $v6 ms at 50 ms each way"

ns_ctl c1 rt reset ab:loss=20 seed=7
got=$(json "$(ask c1 "$far4" 1000 1 64)" got)
check loss "$(within "$got" 740 860)" "$got of 1000 answered at 20 % one way"
stat=$(ns_stat c1 rt)
check counters "$(within "$(json "$stat" ab lost)" 150 250)" \
    "lost $(json "$stat" ab lost) in ab, $(json "$stat" ba lost) in ba"

# Rate: 41 IP packets of 1028 bytes at 400 kbit/s; the first leaves 20.6 ms after it came.
ns_ctl c1 rt reset ab:rate=400 queue=2000
took=$(json "$(ask c1 "$far4" 41 1 1000)" took_ms)
check rate "$(within "$took" 840 1700)" "41 x 1028 bytes at 400 kbit/s took $took ms (843 wanted)"

# 1:1 address translation in front of the server, both ways.
ns_ctl c1 rt reset
ns_dnat rt 203.0.113.9 "$far4"
ip -n "$(ns_name c1)" route replace 203.0.113.9 via "$(ns_ip4 1 2)"
seen=$(rtt c1 203.0.113.9)
check dnat "$(within "$seen" 0.01 100)" "rtt $seen ms through the translated address"

# Address change: the server sees a new source port, answers still arrive at the client.
ports=$(ns_run c1 node tests/net/probe.mjs rebind "$far4" 7000 "$NS_DIR/c1-rt.in" 2>&1)
check rebind "$(echo "$ports" | awk '{ print ($1 == $2 && $3 != $2 && $3 > 0) ? 1 : 0 }')" \
    "client port, port seen before and after: $ports"

late=$(json "$(ns_stat c1 rt)" late_us_max)
echo "note lateness: the relay delivered at worst $late us late"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
