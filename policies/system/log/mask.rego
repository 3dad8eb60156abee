# METADATA
# title: What the decision log leaves out
# description: >
#   An automation controller posts whole jobs, with variables and credentials that no rule reads.
#   They are taken out before an entry is written or sent, and the entry says so (`erased`). A
#   constant, because OPA throws an entry away without a word when its mask fails: this one has
#   nothing to fail on. What is not there is left as it is. No rule may read these paths, for its
#   decisions could not be replayed.
# related_resources:
#   - https://www.openpolicyagent.org/docs/management-decision-logs
package system.log

# METADATA
# title: Paths below the question
mask := {
	"/input/artifacts",
	"/input/credentials",
	"/input/extra_vars",
	"/input/inventory/variables",
	"/input/job_env",
	"/input/job_template/extra_vars",
	"/input/job_template/survey_spec",
	"/input/survey_passwords",
	"/input/vault_credentials",
	"/input/webhook_credential",
}
