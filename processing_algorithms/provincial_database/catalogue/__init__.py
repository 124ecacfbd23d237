"""The catalogue: what each dataset of the provincial database is, said once, in one TOML file per dataset.

Tables, forms, checks on import and documentation come from here. `model` has the words a file may use (read it to
write one), `loader` reads and checks the files, `domains.toml` holds the value lists several datasets share.

>>> catalogue = load_catalogue()
>>> str(catalogue["parcel"].field("legal_area_m2").label)
'Diện tích pháp lý'
"""

from .loader import load_catalogue
from .model import Catalogue, Check, Dataset, Domain, DomainValue, Field, Text

__all__ = ["Catalogue", "Check", "Dataset", "Domain", "DomainValue", "Field", "Text", "load_catalogue"]
