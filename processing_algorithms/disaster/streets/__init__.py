"""Streets in a flood: `vehicles` (what they bear), `road_depths`, `bridges`, `flooded_network` (parts and ways),
`flooded_network_tables` (who is cut off)."""
