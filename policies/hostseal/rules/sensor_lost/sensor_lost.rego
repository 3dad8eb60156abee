# METADATA
# title: A sensor lost sight of the host
# description: >
#   Something may have happened that nobody saw. It flags the host where the site's data lists the cause.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AU-5, NIST SI-4, PCI 10.7, CIS 8.2, CIS 13.2, SOC2 CC7.2]
#   flags: where `flag_on_loss` lists the cause
#   tuning: [flag_on_loss]
package hostseal.rules.sensor_lost

import data.hostseal.finding
import data.hostseal.loss

findings contains finding.from_rule(rego.metadata.chain(), loss.sentence) if not loss.made_up

asks contains "flag" if loss.breaks_seal
