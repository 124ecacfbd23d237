"""What all rooms share.

Without QGIS
  Speaking: `errors`, `language` (Vietnamese and English texts), `progress` (with cancel), `numbers_vi` (decimal
  commas), `moments` (days and times people type), `legacy_text` (TCVN3 and VNI into Unicode; `syllables`: what can be
  Vietnamese), `rounding` (totals that close), `packages` and `bundled` (what the
  machine lacks).
  Shapes: `geometry` (invalid, null and empty ones), `crs` (the pinned VN-2000 shift), `areas`, `overlay` (polygons by
  polygons; with `coverage`, what cannot overlap, and `crossing_cut`, the fast cut), `slivers` (what maps that do not
  match leave), `parallel` (blocks on all cores), `memory` (asked before work that needs a lot), `collector` (out of
  the way of work on many rows).
  Rasters: `raster` (reading by strips), `raster_writing`, `cells` (which cells a shape covers).
  Tables and files: `columns` (free names, numbers stored as text, broken texts), `destinations` (checked first, replaced only by a
  whole file), `full_disks` (which folder is full), `network_places` (is it on a share), `addresses` (a database, or a file), `files` (vector files), `curves` (kept
  while they are read), `geopackage` (rows and spatial index at once), `workbook` (xlsx), `norms/` (regulations as data).
  Papers: `word_document` (docx from a template) with `word_blocks` (its tables and pictures), `word_form` (the form of
  administrative papers), `word_reading` (what a paper says).
With QGIS
  Algorithms: `qgis_algorithm` (the base of every one; start here), `qgis_parameters` (one function per kind of
  parameter; read by `qgis_parameter_reading`), `qgis_hub_parameters` (those of hubs), `qgis_destinations` (where
  results may go), `qgis_main_thread` (short work done in the window's thread), `thread_state` (Qt's threads and
  pyproj), `qgis_help` (help pages), `qgis_ready_models` (models of the toolbox), `qgis_readiness` (what a machine lacks).
  Data: `qgis_layers` (layer to GeoDataFrame and back) with `qgis_file_reading` (whole files at once) and
  `qgis_feature_writing` (features as QGIS holds them), `qgis_rasters`,
  `qgis_crs` (the pinned shift in a project), `qgis_working_copy` (what QGIS has open).
  Layers in a project: `qgis_open_layers` (layers of a place, ready to work with), `qgis_dressing` (the whole look of a
  dataset's layer), `qgis_forms` (field forms from the catalogue), `qgis_project` (projects handed over).
  Print: `layout/` (printed maps).
"""
