"""What each kind of vehicle can still pass, from the table ``vehicle_wading_depths``: defaults a province confirms."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from ...common.errors import InputError
from ...common.language import say
from ...common.norms.loader import load_table


@dataclass(frozen=True)
class Vehicle:
    """A kind of vehicle; deeper water than ``depth_max_m`` stops it."""

    key: str
    name_vi: str
    name_en: str
    depth_max_m: float
    confidence: str
    citation: str

    @property
    def name(self) -> str:
        """In the language spoken when it is asked for: parameters are shown in the user's, prints are Vietnamese."""
        return say(self.name_vi, self.name_en)


def vehicles(*, on: datetime.date | None = None, province_folder: str | Path | None = None) -> list[Vehicle]:
    """Return all kinds, from the one that stops first to the one that goes furthest."""
    table = load_table("vehicle_wading_depths", on=on, province_folder=province_folder)
    found = [Vehicle(str(row["vehicle"]), str(row["name_vi"]), str(row["name_en"]), float(row["depth_max_m"]), str(row["confidence"]), table.citation(row))
             for row in table.rows]
    return sorted(found, key=lambda v: v.depth_max_m)


def vehicle(key: str, kinds: list[Vehicle]) -> Vehicle:
    """Find one kind.

    Raises
    ------
    InputError
        No such kind; the message names those there are.
    """
    for kind in kinds:
        if kind.key == key:
            return kind
    raise InputError(
        say('Không có loại xe "{key}"; các loại: {names}.', 'There is no vehicle "{key}"; there are: {names}.').format(
            key=key, names=", ".join(k.key for k in kinds)
        )
    )
