"""The demo (scripts/demo): the toolkit's main job from start to end on the sample town.

`__main__` is the order of the job; `folder` the output folder, `database` the shared database, `analyses` the six
algorithms, `project` layers, groups and themes, `sheets` the printed maps, `summary` the figures told at the end.
Everything that computes is called through the Processing registry, as a person would in QGIS.
"""
