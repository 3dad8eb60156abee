# METADATA
# title: A sensor's loss was made up for
# description: >
#   A sensor lost sight of the host, and what it watches was scanned afterwards: what was found is a finding of its own.
#   Where the site's data lists the cause, the loss stays what it was (sensor_lost): a scan sees what is there, not what
#   was there in between.
# schemas:
#   - input: schema.input
# custom:
#   severity: low
#   controls: [NIST AU-5, NIST SI-4, PCI 10.7, CIS 8.2, SOC2 CC7.2]
#   flags: never
#   tuning: [flag_on_loss]
package hostseal.rules.sensor_rescanned

import data.hostseal.finding
import data.hostseal.loss

findings contains finding.from_rule(rego.metadata.chain(), loss.sentence) if loss.made_up
