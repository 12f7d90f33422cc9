"""The customs declaration desk: paid orders in, declarations at the gateway, until each one ends."""

from pathlib import Path

_HERE = Path(__file__).parent
# The folder of `workers` and `migrations`: beside this package in a checkout, within it once it is installed, where
# their names would otherwise be anybody's.
ROOT = _HERE / "bundled" if (_HERE / "bundled").is_dir() else _HERE.parent
