"""Reports from the spot: `report_table` (any headings), `report_depth` (figures and words), `field_reports` (where, how sure)."""
