"""What npm brings is pinned by hash and comes from whatever registry the reader uses."""

import json
from pathlib import Path

LOCK = Path(__file__).resolve().parents[2] / "requirements" / "lighthouse" / "package-lock.json"


def test_the_lock_of_lighthouse_pins_every_package_and_names_no_registry():
    """An address in it would be one machine's; a package without a hash could be any."""
    packages = {name: entry for name, entry in json.loads(LOCK.read_text())["packages"].items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "integrity" not in entry or "resolved" in entry] == []
