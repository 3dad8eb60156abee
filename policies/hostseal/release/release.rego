# METADATA
# title: Which policy this is
# description: When the bundle was made, how old it may grow, and how far it is rolled out.
package hostseal.release

# METADATA
# title: What an agent shows of the policy in force
# description: Null is what the bundle does not say, as one made by an older Hostseal.
# entrypoint: true
told := {
	"issued": issued,
	"max_age_seconds": max_age_seconds,
	"state": state,
	"stage_percent": stage_percent,
}

default issued := null

issued := data.hostseal.bundle.issued

default max_age_seconds := null

max_age_seconds := data.hostseal.bundle.max_age_seconds

default state := null

state := data.hostseal.rollout.state

default stage_percent := {}

stage_percent := data.hostseal.rollout.stage_percent
