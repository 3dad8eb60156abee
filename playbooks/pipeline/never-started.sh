#!/bin/sh
# Fails the build of an image in which one of Hostseal's units has run, is not enabled, or a host's own key was made.
set -eu
bad=
for unit in opa.service hostseal.service hostseal-decision-log.service hostseal-enrol.service hostseal.socket; do
    [ "$(systemctl is-enabled "$unit")" = enabled ] || bad="$bad $unit:not-enabled"
    [ "$(systemctl show -p ActiveEnterTimestampMonotonic --value "$unit")" = 0 ] || bad="$bad $unit:has-run"
done
for name in server.key server.pem ca.pem token gate-token operator-token authz.json; do
    [ ! -e "/etc/hostseal/opa/$name" ] || bad="$bad $name:made"
done
[ -z "$bad" ] || { echo "this is no image:$bad" >&2; exit 1; }
