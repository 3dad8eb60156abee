"""The options that the commands of `hostseal policy` share."""

from pathlib import Path

import click

from hostseal.policy.packaged import policies as packaged

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

policies = click.option(
    "--policies", type=FOLDER, default=packaged, help="Hostseal's policies; default: those that came with it."
)
rules = click.option(
    "--rules", type=FOLDER, multiple=True, help="A folder of rules of one's own, one folder a rule."
)
site = click.option("--site", type=FILE, help="The site's data (JSON); default: the policies' own.")
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
