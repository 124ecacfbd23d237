"""The shared provincial database (cơ sở dữ liệu dùng chung của tỉnh).

The *catalogue* (TOML, one file per dataset) says what a dataset is; the *hub* holds the truth, in PostGIS or in one
GeoPackage; people work in *working copies*. Start with `catalogue/`, then `hub.py`.
"""
