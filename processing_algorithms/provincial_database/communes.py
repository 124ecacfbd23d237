"""The communes a hub knows, to choose from when data are taken home."""

from __future__ import annotations

from dataclasses import dataclass, field

import shapely

from .hub import Hub

_UNITS = "administrative_unit"


@dataclass(frozen=True)
class Commune:
    """One commune in force; ``shape`` is WKB in the hub's system, None where it is not drawn."""

    code: str
    name: str
    shape: bytes | None = field(default=None, repr=False)


def communes_of(hub: Hub) -> list[Commune]:
    """Return the communes of a hub by name: its administrative units in force, else the codes its rows use."""
    found: dict[str, Commune] = {}
    if _UNITS in hub.datasets:
        units = hub.read(hub.datasets[_UNITS], columns=["unit_code", "name", "valid_to"])
        units = units[units["valid_to"].isna() & units["unit_code"].notna()]
        for code, name, shape in zip(units["unit_code"], units["name"], units.geometry):
            found[code] = Commune(code, name or code, None if shape is None else shapely.to_wkb(shape))
    if not found:
        for dataset in hub.datasets.values():
            if dataset.commune_field:
                found |= {str(code): Commune(str(code), str(code))
                          for code in hub.values(dataset, dataset.commune_field)}
    return sorted(found.values(), key=lambda commune: (commune.name, commune.code))
