"""The GIS part of a plan's electronic dossier (cơ sở dữ liệu GIS của đồ án quy hoạch, TT 16/2025/TT-BXD annex II).

A dossier is a folder *HoSoGIS* with four databases (*HienTrang*, *QuyHoach*, *NenDiaHinh*, *MocGioi*), each a GeoPackage
or a file geodatabase of classes named ``<Name>_<A|P|L>``, and a project file. Start with `schema.py` (what the standard
asks, as data), then `create.py` and `filling.py` (making one), `check.py` (the order of the checks), `rules.py` (every
rule with its permanent id); the rules themselves are in `check_*.py`, what people get in `workbook.py` and `letter.py`.
"""
