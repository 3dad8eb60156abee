# METADATA
# title: Exemptions
# description: >
#   What the site's data excuses: a rule's findings on a host, in a group, by a user or everywhere, until a date that
#   is compared with the event's time. Each is looked up by its rule and by what the event is about, so that their
#   number costs nothing. Who the user was must be certain, and an exemption with paths needs to cover every path.
# schemas:
#   - input: schema.input
package hostseal.exemption

import data.hostseal.changes
import data.hostseal.host
import data.hostseal.identity

# METADATA
# scope: document
# description: The id of the exemption that this rule's findings fall under; the first by name where there are several.
of(rule) := min(ids) if {
	ids := {one.id | some one in covering(rule); now < ends(one)}
	count(ids) > 0
}

# METADATA
# scope: document
# description: Exemptions that would have covered this rule's findings and have ended, where no other one does.
expired(rule) := {one | some one in covering(rule); now >= ends(one)} if not of(rule)

covering(rule) := [one |
	some subject in subjects
	some one in data.hostseal.site.exemptions[rule][subject]
	covers(one)
]

subjects contains "all"

subjects contains sprintf("host:%s", [input.event.host.name])

subjects contains sprintf("host:%s", [host.listed_as(input.event.host.name)])

subjects contains sprintf("group:%s", [group]) if some group in host.of(input.event.host.name).groups

subjects contains sprintf("user:%s", [identity.subject.user]) if {
	object.get(input.event.data, "confidence", "exact") == "exact"
}

covers(one) if not one.paths

covers(one) if {
	count(paths) > 0
	every path in paths {
		some pattern in one.paths
		glob.match(pattern, ["/"], path)
	}
}

# The paths are only those told of: where some are only counted, nothing says that they are covered.
paths := {change.path | some change in array.concat(changes.counted.paths, changes.laid)} if {
	input.event.type == "files.changed"
	input.event.data.truncated == false
}

paths := {difference.path | some difference in input.event.data.differences} if {
	input.event.type == "seal.broken"
	input.event.data.truncated == false
}

now := time.parse_rfc3339_ns(input.event.time)

ends(one) := time.parse_rfc3339_ns(one.expires)
