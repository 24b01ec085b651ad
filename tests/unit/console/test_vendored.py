"""What was brought from elsewhere is what it says it is."""

import hashlib
import json

from console.app import STATIC

VENDOR = STATIC / "vendor"
LISTED = {one["file"]: one for one in json.loads((VENDOR / "vendor.json").read_text())}


def test_every_vendored_file_is_listed_with_its_origin() -> None:
    """Name, version, licence and home; and none is listed that is not there."""
    assert {path.name for path in VENDOR.iterdir()} - {"vendor.json"} == LISTED.keys()
    for one in LISTED.values():
        assert all(one[field] for field in ("name", "version", "licence", "home"))


def test_no_vendored_file_was_changed() -> None:
    """The hash is the one it came with."""
    for name, one in LISTED.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == one["sha256"]


def test_nothing_points_to_another_server() -> None:
    """The console works without a network."""
    pages = [*STATIC.parent.joinpath("templates").rglob("*.html"), STATIC / "steward.js", STATIC / "steward.css"]
    for page in pages:
        assert 'src="http' not in page.read_text()
        assert 'href="http' not in page.read_text()
        assert "@import" not in page.read_text()
