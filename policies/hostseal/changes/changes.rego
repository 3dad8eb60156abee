# METADATA
# title: Which changes count
# description: >
#   Of a change set's paths those that break the seal, or of which no seal says anything. A path that is as the seal
#   says (`touched`), a host's `own` or `by_design` counts for nothing; but paths that are only counted may be anything.
# schemas:
#   - input: schema.input
package hostseal.changes

# METADATA
# description: The change set with only the paths that count.
counted := object.union(input.event.data, {"paths": breaking}) if input.event.type == "files.changed"

breaking := [change | some change in input.event.data.paths; breaks(change)]

# An agent of an earlier version says nothing of the seal.
breaks(change) if not object.get(change, "seal", "unsealed") in {"touched", "own", "by_design"}

# METADATA
# scope: document
# description: Some of the change set counts.
some_count if count(counted.paths) > 0

some_count if counted.truncated == true

# A change set without paths is none that could have been excused.
some_count if {
	input.event.type == "files.changed"
	count(input.event.data.paths) == 0
}

# METADATA
# description: >
#   The paths from which something of a session's starts again later. Keys of people are a host's own and no class of
#   files that change by design excuses any of this, so all count that are not as the seal says, nor just gone.
laid := [change |
	input.event.type == "files.changed"
	some change in input.event.data.paths
	is_string(change.lays)
	object.get(change, "seal", "unsealed") != "touched"
	{what | some what in change.what} != {"deleted"}
]
