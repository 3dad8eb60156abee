# METADATA
# title: Something new starts by itself
# description: >
#   Something added or changed a systemd unit, a timer, a cron or an at job. What a person's session lays there is
#   persistence_laid's to say.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST CM-3, NIST CM-7, PCI 2.2, PCI 11.5, CIS 4.8, CIS 2.7, SOC2 CC7.1]
#   flags: never
#   tuning: [unit_added]
package hostseal.rules.unit_added

import data.hostseal.drift
import data.hostseal.finding
import data.hostseal.rules.persistence_laid

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	count(found) > 0
	message := sprintf("%s changed what starts by itself: %s.", [drift.actor, drift.shown(found)])
}

found := [one | some one in drift.paths; concerns(one)] if not persistence_laid.laid

concerns(one) if one.lays in {"unit", "timer", "cron", "at_job"}

concerns(one) if drift.among(data.hostseal.site.unit_added.paths, one.path)
