# METADATA
# title: What a host is
# description: >
#   Mode, class and groups of a host come from bundle data by the host's name, never from what the host
#   says of itself. What is said of the host goes before its groups, and its groups before the default. Of several
#   groups the strictest mode counts, and one that says `mutable` is enough never to replace the host. A host that is
#   not listed itself is what the site says of its slot: `web-1` covers `web-1-g1`, `web-1-g2` and so on. A word that
#   nobody knows counts before the known ones, so that it is seen, never before what is said of the host.
package hostseal.host

# METADATA
# description: Mode, class and groups of the host in the input.
# entrypoint: true
# schemas:
#   - input: schema.host.profile
profile := of(input.host.name)

# METADATA
# description: Mode, class and groups of the host with this name. A name that is not in the data is the default.
of(name) := {
	"mode": said(entry, "mode", ["enforce", "flag", "observe"]),
	"class": said(entry, "class", ["mutable", "immutable"]),
	"groups": groups(entry),
} if {
	entry := said_of(listed_as(name))
}

default said_of(_) := {}

# Looked up, not searched: a site may list many thousand hosts.
said_of(listed_name) := data.hostseal.site.hosts[listed_name]

# METADATA
# description: The site's data says something of this host, or of its slot.
listed(name) if data.hostseal.site.hosts[listed_as(name)]

# METADATA
# scope: document
# description: The name the site's data would list this host by, its own or its slot's.
listed_as(name) := name if data.hostseal.site.hosts[name]

listed_as(name) := regex.replace(name, `-g[0-9]+$`, "") if {
	is_string(name)
	not data.hostseal.site.hosts[name]
}

groups(entry) := object.get(entry, "groups", [])

group_values(entry, key) := {value |
	some group in groups(entry)
	value := data.hostseal.site.groups[group][key]
}

# The first of what the host, its groups (the strictest of them), and the default say.
said(entry, key, strictest_first) := candidates[0] if {
	own := [value | value := entry[key]]
	values := group_values(entry, key)
	unknown := [value | some value in values; not value in strictest_first]
	grouped := [value | some value in strictest_first; value in values]
	candidates := array.flatten([own, unknown, grouped, data.hostseal.site["default"][key]])
}
