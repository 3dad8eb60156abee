"""Where the policies are that came with this package."""

from pathlib import Path


def policies() -> Path:
    """Return the policies that came with this package, or lie beside it in a checkout."""
    packaged = Path(__file__).parents[1] / "_policies"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "policies"
