"""The GIS part of a plan's electronic dossier (cơ sở dữ liệu GIS của đồ án quy hoạch, TT 16/2025/TT-BXD annex II).

A dossier is a folder *HoSoGIS* with four databases (*HienTrang*, *QuyHoach*, *NenDiaHinh*, *MocGioi*), each a GeoPackage
or a file geodatabase of classes named ``<Name>_<A|P|L>``, and a project file. Start with `schema` (what the standard asks,
as data), then `create` and `filling` (making one), `project` (what its project shows).

Checking: `reading` (as it came, whatever its state), `examined` (classes and fields told apart), `check` (the order of the
checks), `rules` (every rule with its permanent id). The rules themselves: `check_files`, `check_classes`, `check_codes`,
`check_values`, `check_shapes`, `check_coverage`, `check_figures`. What people get: `workbook` and `letter`.
"""
