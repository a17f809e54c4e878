"""The doors that are fuzzed, by name: what each takes as bytes, and must answer itself."""

from collections.abc import Callable

from tests.fuzz import csv_door, gad_door, image_door, zip_door

#: Each raises for anything that is neither taken well nor refused in the door's own words.
DOORS: dict[str, Callable[[bytes], None]] = {
    "csv": csv_door.attempt,
    "gad": gad_door.attempt,
    "image": image_door.attempt,
    "zip": zip_door.attempt,
}
