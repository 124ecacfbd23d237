"""Zoning: what the approved plans say about a parcel.

Terms: *ô quy hoạch* (zone of a sub-area plan), *chỉ tiêu sử dụng đất quy hoạch* (control figures), map-matching
tolerance (drawing accuracy in mm on paper times the scale). Areas in m2. Start with `parcel_zoning.py`; the general
polygon overlay it stands on is `common/overlay.py`.
"""
