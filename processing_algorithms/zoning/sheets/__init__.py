"""Printed plans: `zoning_sheets` (what is on which sheet), on `sheet_index` (the division), `sheet_labels` (texts that lie whole in
their zones) and `sheet_symbols` (codes and official colours)."""
