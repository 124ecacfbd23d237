"""The classes of road and street in the town, with what a network analysis asks of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StreetClass:
    """Usual values of one class; single streets vary a little. Widths in metres, speed in km/h."""

    key: str
    lanes: int
    carriageway: float
    right_of_way: float
    speed: int
    surface: str


CLASSES = {
    street.key: street
    for street in (
        StreetClass("national", 4, 14.0, 24.0, 60, "asphalt"),
        StreetClass("provincial", 2, 11.0, 18.0, 60, "asphalt"),
        StreetClass("main", 4, 15.0, 24.0, 50, "asphalt"),
        StreetClass("area", 2, 10.5, 18.0, 40, "asphalt"),
        StreetClass("local", 2, 7.0, 12.0, 30, "asphalt"),
        StreetClass("alley", 1, 3.0, 3.6, 15, "concrete"),
        StreetClass("commune", 2, 5.5, 9.0, 40, "asphalt"),
        StreetClass("village", 1, 3.5, 5.0, 20, "concrete"),
        StreetClass("field", 1, 3.0, 4.0, 15, "earth"),
        StreetClass("dyke", 1, 5.0, 6.0, 30, "concrete"),
    )
}
