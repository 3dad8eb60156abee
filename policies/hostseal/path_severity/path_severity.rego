# METADATA
# title: What a path weighs
# description: >
#   The site's data gives paths a severity of their own, by exact path or by glob. Of several the highest counts: of one
#   path that several globs match, and of the paths of one finding.
package hostseal.path_severity

# METADATA
# scope: document
# description: The highest severity of these paths; `otherwise` is that of a path of which the site's data says nothing.
highest(paths, otherwise) := named[max(ranks)] if {
	ranks := {rank | some path in paths; rank := of(path, rank_of[otherwise])}
	count(ranks) > 0
}

highest(paths, otherwise) := otherwise if count(paths) == 0

of(path, _) := max(said(path)) if count(said(path)) > 0

of(path, otherwise) := otherwise if count(said(path)) == 0

said(path) := {rank |
	some pattern, severity in data.hostseal.site.sealed_file_changed.severities
	glob.match(pattern, ["/"], path)
	rank := rank_of[severity]
}

rank_of := {"low": 1, "medium": 2, "high": 3, "critical": 4}

named[rank] := severity if some severity, rank in rank_of
