"""Where things are in the checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements"
TOOLS = ROOT / "tools"
TOOLS_BIN = ROOT / ".tools" / "bin"
LOCKS = ROOT / ".tools" / "locks"
