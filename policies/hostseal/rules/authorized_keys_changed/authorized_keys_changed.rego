# METADATA
# title: Who may log in by key changed
# description: >
#   Something changed keys that sshd takes. They are a host's own and so break no seal, whoever writes them; what a
#   person's session lays there is persistence_laid's to say, and what the host's own playbook declared or
#   automation may do is expected.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AC-2, NIST IA-5, PCI 8.2, PCI 10.2, CIS 5.1, SOC2 CC6.2]
#   flags: never
#   tuning: [authorized_keys_changed]
package hostseal.rules.authorized_keys_changed

import data.hostseal.changes
import data.hostseal.drift
import data.hostseal.finding
import data.hostseal.rules.persistence_laid
import data.hostseal.writer

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	count(found) > 0
	not writer.excused
	not persistence_laid.laid
	message := sprintf("%s changed who may log in by key: %s.", [drift.actor, drift.shown(found)])
}

# Laid keys are a host's own, so they are no drift; but a scan tells them by their place alone.
found := [one | some one in changes.laid; one.lays == "authorized_keys"] if input.event.type == "files.changed"

found := drift.under(data.hostseal.site.authorized_keys_changed.paths) if input.event.type == "seal.broken"
