# METADATA
# title: A person's login outside the hours for it
# description: >
#   The site's data has hours for a group of hosts, or for those without a group that has any. A host of several
#   groups is open where all of them are. Hours are UTC and the event's own time counts. Automation comes at any
#   time.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AC-2, NIST AC-3, PCI 7.2, CIS 6.8, SOC2 CC6.3]
#   flags: never
#   tuning: [login_window]
package hostseal.rules.login_window

import data.hostseal.finding
import data.hostseal.host
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "session.opened"
	identity.person
	some name in outside
	message := sprintf("%s logged in on a %s at %02d:%02d UTC, outside the hours of %s.", [
		wording.login(identity.subject),
		time.weekday(now),
		hour,
		minute,
		wording.sentence(name),
	])
}

outside contains name if {
	some name, week in weeks
	not open(week)
}

open(week) if {
	some hours in week[lower(time.weekday(now))]
	hours.from <= hour
	hour < hours.to
}

weeks[group] := data.hostseal.site.login_window.groups[group] if {
	some group in host.of(input.event.host.name).groups
}

weeks["the site"] := data.hostseal.site.login_window.default if {
	is_object(data.hostseal.site.login_window.default)
	every group in host.of(input.event.host.name).groups {
		not data.hostseal.site.login_window.groups[group]
	}
}

now := time.parse_rfc3339_ns(input.event.time)

hour := time.clock(now)[0]

minute := time.clock(now)[1]
