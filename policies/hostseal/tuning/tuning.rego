# METADATA
# title: What the site's data makes of each rule
# description: >
#   A rule is on, has the severity of its own metadata and flags where it asks to, unless `rules` in the site's data
#   says otherwise of it by its name.
package hostseal.tuning

default switch(_) := {}

switch(rule) := data.hostseal.site.rules[rule]

# METADATA
# description: The rule is not switched off.
on(rule) if object.get(switch(rule), "enabled", true) != false

# METADATA
# description: The finding with the severity that the site's data gives its rule.
tuned(finding) := object.union(finding, object.filter(switch(finding.rule), {"severity"}))

# METADATA
# description: The site's data does not keep the rule from flagging.
may_flag(rule) if object.get(switch(rule), "flags", true) != false

# METADATA
# description: The site's data has every finding of the rule flag.
must_flag(rule) if switch(rule).flags == true
