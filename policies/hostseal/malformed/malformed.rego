# METADATA
# title: Inputs that cannot be judged
# description: >
#   The one answer to an input in which a part is missing or of the wrong type, at every entry point: not allowed,
#   with a sentence that says which part.
package hostseal.malformed

import data.hostseal.wording

# METADATA
# description: The decision about `what` (`The event`), whose problems were found.
answer(what, problems, actions, would) := {
	"allowed": false,
	"violations": [message],
	"findings": [{
		"rule": "malformed_input",
		"severity": "high",
		"message": message,
		"controls": ["NIST SI-10", "PCI 6.2", "CIS 16.10", "SOC2 CC7.2"],
	}],
	"actions": actions,
	"would": would,
	"deadline_seconds": null,
} if {
	message := sprintf("%s cannot be judged: %s.", [what, concat("; ", said(problems))])
}

# METADATA
# scope: document
# description: >
#   What keeps `asked` from having these parts as they should be. A part is wanted by its path, as a set of types or
#   as a list of the words that there are.
missing(asked, parts) := {reason |
	some path, wanted in parts
	reason := problem(object.get(asked, split(path, "."), set()), path, wanted)
} if {
	is_object(asked)
}

missing(asked, _) := {"it is not an object"} if not is_object(asked)

# METADATA
# description: The problem that no mode is known of a host with this name.
unknown_mode(name) := sprintf("the site's data knows none of the modes observe, flag and enforce for %s", [
	wording.name(name),
])

# What is missing has come as the empty set, which no JSON is.
problem(value, path, _) := sprintf("%s is missing", [path]) if value == set()

problem(value, path, wanted) := sprintf("%s is %s, not %s", [path, kind(type_name(value)), concat(" or ", kinds)]) if {
	is_set(wanted)
	value != set()
	not type_name(value) in wanted
	kinds := [kind(type) | some type in wanted]
}

problem(value, path, wanted) := sprintf("%s is none of %s", [path, concat(", ", wanted)]) if {
	is_array(wanted)
	value != set()
	not value in wanted
}

kind("array") := "a list"

kind("boolean") := "true or false"

kind("null") := "null"

kind("number") := "a number"

kind("object") := "an object"

kind("string") := "a text"

said(problems) := [reason | some reason in problems] if count(problems) in {1, 2, 3}

said(problems) := array.concat(
	array.slice([reason | some reason in problems], 0, 3),
	[sprintf("and %d more", [count(problems) - 3])],
) if {
	count(problems) > 3
}

said(problems) := ["a part of it is missing or of the wrong type"] if count(problems) == 0
