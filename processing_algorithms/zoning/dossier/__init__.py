"""The GIS part of a plan's electronic dossier (cơ sở dữ liệu GIS của đồ án quy hoạch, TT 16/2025/TT-BXD annex II).

A dossier is a folder *HoSoGIS* with four databases (*HienTrang*, *QuyHoach*, *NenDiaHinh*, *MocGioi*), each a GeoPackage or a file
geodatabase of classes named ``<Name>_<A|P|L>``, and a project file. Start with `schema` (what the standard asks, as data), then
`create` and `filling` (making one); `check` (the order of the checks) on `reading` and `examined` (a dossier as it came), with every
rule and its permanent id in `rules`, and the rules themselves in `check_files`, `check_classes`, `check_codes`, `check_values`,
`check_shapes`, `check_coverage`, `check_figures`. What people get: `workbook`, `letter`, `project` (how it looks in QGIS).
"""
