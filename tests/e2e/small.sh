#!/bin/bash
# What people see while a server sheds: it may use a tenth of a core (a control group, root), so that
# one load client brings it through every step.
#   tests/e2e/small.sh [scenario of overload.e2e.mjs]
cd "$(dirname "$0")/../.." || exit 1
period=20000
share=${AMPHI_SMALL_PERCENT:-10}
name=amphi-small-$$
if grep -qw cpu /sys/fs/cgroup/cgroup.controllers 2>/dev/null; then
    group=/sys/fs/cgroup/$name
    mkdir "$group" || exit 1
    echo "$((period * share / 100)) $period" >"$group/cpu.max" || exit 1
else
    group=/sys/fs/cgroup/cpu/$name
    mkdir "$group" || exit 1
    echo $period >"$group/cpu.cfs_period_us" || exit 1
    echo $((period * share / 100)) >"$group/cpu.cfs_quota_us" || exit 1
fi
mkdir -p build/e2e
cat >build/e2e/small-amphi <<END
#!/bin/sh
[ "\$1" != serve ] || echo \$\$ >$group/cgroup.procs
exec "$PWD/build/amphi" "\$@"
END
chmod +x build/e2e/small-amphi
AMPHI_E2E_SMALL=1 AMPHI_E2E_BINARY=$PWD/build/e2e/small-amphi tests/e2e/run "overload${1:+:$1}"
code=$?
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rmdir "$group" 2>/dev/null && break
    sleep 0.5
done
exit $code
