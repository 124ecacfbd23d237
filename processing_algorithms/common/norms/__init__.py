"""Norms: regulations and their tables as data files, read by date, overridable by a province.

Start with `load_table` (in `loader`); README.md in this folder says how the files are kept.
"""

from .loader import NormTable, Regulation, deciding_date, load_table, regulation_in_force, regulations

__all__ = ["NormTable", "Regulation", "deciding_date", "load_table", "regulation_in_force", "regulations"]
