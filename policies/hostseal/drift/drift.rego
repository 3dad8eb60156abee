# METADATA
# title: What has drifted from the image
# description: >
#   The paths of a change set that count and that nobody expected, or those that a scan found; of each what it lays,
#   which privileges it gives that it did not give before, and which accounts it makes privileged. A path that is only
#   counted can be looked at by nobody.
# schemas:
#   - input: schema.input
package hostseal.drift

import data.hostseal.changes
import data.hostseal.host
import data.hostseal.wording
import data.hostseal.writer

# METADATA
# scope: document
# description: The drifted paths, each with `path`, `lays` (a kind or null), `gains` and `grants` (mostly none).
paths := [object.union(nothing_said, object.filter(change, object.keys(nothing_said) | {"path"})) |
	some change in changes.counted.paths
] if {
	input.event.type == "files.changed"
	not writer.excused
}

paths := [object.union(nothing_said, {"path": path, "gains": gains}) |
	some path in {difference.path | some difference in input.event.data.differences}
	gains := sort({gain |
		some difference in input.event.data.differences
		difference.path == path
		some gain in gained(difference)
	})
] if {
	input.event.type == "seal.broken"
}

nothing_said := {"lays": null, "gains": [], "grants": []}

# METADATA
# description: Those of the drifted paths that the site's data lists for a rule, as path or glob with `true`.
under(listed) := [found | some found in paths; among(listed, found.path)]

# METADATA
# description: The path is one of these, or one of these globs matches it.
among(listed, path) if {
	some pattern, on in listed
	on == true
	glob.match(pattern, ["/"], path)
}

# METADATA
# scope: document
# description: Who did it, for a person. A scan sees what there is, not who made it.
actor := writer.described if input.event.type == "files.changed"

actor := "Somebody unseen" if input.event.type == "seal.broken"

# METADATA
# description: The first three of these paths, and how many more there are.
shown(found) := sprintf("%s%s", [concat(", ", names), wording.rest(count(found) - count(names))]) if {
	names := [wording.name(one.path) | some one in array.slice(found, 0, 3)]
}

# METADATA
# description: The host is mutable, and the site's data says that its drift is debt and breaks no seal.
only_debt if {
	data.hostseal.site.mutable_debt.only == true
	host.of(input.event.host.name).class == "mutable"
}

# A manifest has twelve permission bits in octal, and a scan's words begin with a file's kind and those.
gained(difference) := mode_bits(difference.found) - mode_bits(difference.sealed) if difference.change == "mode"

gained(difference) := mode_bits(substring(difference.found, 5, 4)) | capabilities(difference.found) if {
	difference.change in {"added", "unsafe", "kind"}
	startswith(difference.found, "file ")
}

gained(difference) := capabilities(difference.found) if {
	difference.change == "xattrs"
	capability(difference.found) != capability(difference.sealed)
}

mode_bits(mode) := {privilege | some privilege, digits in privileged; substring(mode, 0, 1) in digits}

privileged := {"setuid": {"4", "5", "6", "7"}, "setgid": {"2", "3", "6", "7"}}

capabilities(text) := {"capability" | capability(text) != ""}

capability(text) := concat(" ", [word | some word in split(text, " "); startswith(word, "security.capability=")])
