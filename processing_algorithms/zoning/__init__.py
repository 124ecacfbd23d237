"""Zoning: what the approved plans say about a parcel, and whether plans and buildings keep the rules.

Terms: *ô quy hoạch* (zone of a sub-area plan), *chỉ tiêu sử dụng đất quy hoạch* (control figures), map-matching tolerance
(drawing accuracy in mm on paper times the scale). Areas in m2.

  `plans/`         parcels by zones, plans of several levels, versions, contradictions
  `paper/`         the planning-information paper (văn bản cung cấp thông tin quy hoạch), its register and its check
  `compliance/`    lots and buildings against the plan and QCVN 01
  `land_balance/`  areas that close to the boundary, against the norms and the consultant's table
  `sheets/`        printed plans
  `dossier/`       the electronic dossier (folder *HoSoGIS*, TT 16/2025)

Start with `plans/parcel_zoning.py`; the general polygon overlay it stands on is ``common/overlay.py``.
"""
