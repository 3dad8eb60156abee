# METADATA
# title: A scan found the seal broken
# description: >
#   The host differs from its image in what nobody was seen to change: while the agent did not look, or below it.
#   Nobody is accused.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST CM-5, NIST SI-7, PCI 11.5, CIS 4.1, CIS 13.2, SOC2 CC7.1]
#   flags: always
#   tuning: [sealed_file_changed]
package hostseal.rules.seal_broken

import data.hostseal.drift
import data.hostseal.finding
import data.hostseal.path_severity
import data.hostseal.wording

findings contains object.union(found, {"severity": path_severity.highest(paths, found.severity)}) if {
	input.event.type == "seal.broken"
	message := sprintf("%s found %s%s.", [scan, wording.differences(input.event.data), unfinished])
	found := finding.from_rule(rego.metadata.chain(), message)
}

asks contains "flag" if {
	input.event.type == "seal.broken"
	not drift.only_debt
}

paths := array.concat([difference.path | some difference in input.event.data.differences], unnamed)

default scan := "A scan"

scan := scans[input.event.data.cause]

scans := {
	"start": "The scan at the agent's start",
	"loss": "The scan after a loss",
	"mount": "The scan of a new mount",
	"maps": "The scan of files that are mapped for writing",
}

default unfinished := ""

unfinished := "; it did not finish" if input.event.data.complete == false

# Differences that are only counted weigh what any does.
default unnamed := []

unnamed := [""] if input.event.data.truncated == true
