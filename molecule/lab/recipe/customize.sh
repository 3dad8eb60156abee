#!/bin/sh
# Makes a Debian root a host of the lab. Run by mmdebstrap: $1 is the root, FILES the folder of files beside this script.
set -eu
root=$1
umask 022

# People and the automation account; their keys are put in when a host starts.
chroot "$root" useradd --uid 2001 --user-group --create-home --shell /bin/bash --comment "A person" alice
chroot "$root" useradd --uid 2002 --user-group --create-home --shell /bin/bash --comment "Another person" bob
chroot "$root" useradd --uid 2003 --user-group --create-home --shell /bin/bash --comment "Automation" deploy
install -m 0440 "$FILES/sudoers" "$root/etc/sudoers.d/lab"

# No identity in the image: clones must not share host keys or a machine id.
rm -f "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
chmod 0444 "$root/etc/machine-id"
mkdir -p "$root/var/lib/dbus"
ln -sf /etc/machine-id "$root/var/lib/dbus/machine-id"
install -m 0644 "$FILES/host-keys.service" "$root/etc/systemd/system/host-keys.service"
chroot "$root" systemctl enable --quiet host-keys.service

# Nothing that a host without console, name server or mirror would wait for or change by itself.
for unit in getty@.service console-getty.service systemd-resolved.service \
    apt-daily.timer apt-daily.service apt-daily-upgrade.timer apt-daily-upgrade.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# A journal that outlives a reboot, as Debian's installer leaves it.
install -d -m 2755 "$root/var/log/journal"
chroot "$root" chgrp systemd-journal /var/log/journal

# The machine's own sources and transport settings stay on the machine.
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap
: >"$root/etc/apt/sources.list"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/ldconfig/aux-cache
rm -f "$root"/var/log/*.log "$root"/var/log/apt/* "$root/etc/resolv.conf"
: >"$root/etc/resolv.conf"
