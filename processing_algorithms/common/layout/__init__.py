"""Printed maps, by QGIS layouts.

`qgis_layout` (one layout, built once and filled again for every sheet), with `qgis_layout_items`, `qgis_layout_page`,
`qgis_layout_text`, `qgis_layout_grid`, `qgis_layout_legend`, `qgis_layout_table`; `qgis_layout_drawing` and
`qgis_layout_drawing_page` for drawings of a plan. What is drawn: `qgis_zone_map` (zones in official colours), `qgis_parcel_map`
(annex of a paper about one parcel), `qgis_flood_map`, `qgis_phone_picture`, `qgis_report_pdf` (pages of text and tables, then maps).
"""
