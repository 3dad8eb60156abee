package hostseal.event

import data.hostseal.malformed
import data.hostseal.shape

decision := malformed.answer("The event", problems, [], []) if not judgeable

judgeable if {
	shape.well_formed
	mode in {"observe", "flag", "enforce"}
}

problems := shape.problems if not shape.well_formed

problems := {malformed.unknown_mode(input.event.host.name)} if shape.well_formed
