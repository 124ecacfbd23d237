"""Flood maps made elsewhere: `scenario_library` (kept by level or release), `scenario_import`, `scenario_interpolation`."""
