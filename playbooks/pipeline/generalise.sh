#!/bin/sh
# Takes out of a stopped build instance's disk what is one host's alone, or secret. Run as root: generalise.sh ROOT
set -eu
root=$1
case $root in
/?*) ;;
*)
    echo "generalise.sh: $root is not the absolute path of a root" >&2
    exit 2
    ;;
esac
[ -d "$root/etc" ] && [ ! "$root" -ef / ] || { echo "generalise.sh: $root is no root of another system" >&2; exit 2; }

# Who it was: each host gets these anew at its creation or its first boot.
: >"$root/etc/machine-id"
chmod 0444 "$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n' >"$root/etc/hosts"
: >"$root/etc/resolv.conf"
for name in instance.json instance-id enrolment.json image.seal; do
    rm -f "$root/etc/hostseal/$name"
done
for name in server.key server.pem ca.pem token gate-token operator-token authz.json; do
    rm -f "$root/etc/hostseal/opa/$name"
done

# Who could log in to build it, and what they left.
rm -rf "$root"/home/*/.ssh "$root"/home/*/.ansible "$root"/home/*/.*_history "$root"/root/.ansible
rm -rf "$root"/root/.*_history "$root"/root/.cache
# systemd makes these two at each boot where they are missing: in the image, they are part of its seal.
install -d -m 0700 "$root/root/.ssh"
find "$root/root/.ssh" -mindepth 1 -delete
: >"$root/etc/.pwd.lock"
chmod 0600 "$root/etc/.pwd.lock"

# What it remembers: logs, records, seeds, leases, temporary files.
for folder in var/lib/hostseal var/lib/hostseal-decision-log var/log/hostseal var/log/journal var/tmp tmp run \
    var/lib/systemd/timers var/lib/systemd/coredump var/lib/private var/cache/hostseal-wheels; do
    [ -d "$root/$folder" ] && find "$root/$folder" -mindepth 1 -delete
done
find "$root/var/log" -type f -delete
rm -f "$root/var/lib/systemd/random-seed" "$root/var/lib/systemd/credential.secret"
rm -f "$root"/var/lib/dhcp/*.leases "$root"/var/lib/logrotate/status
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
# Sockets that a service of the build instance left.
find "$root" -xdev -type s -delete
