"""The shared database for scripts and nightly jobs: everything the algorithms do, without QGIS. All names are here.

Places
  A hub is a GeoPackage path, a libpq URI or text without a password (``service=tinh``), or a mapping of connection
  parameters. Passwords come from pgpass, the environment or such a mapping; a location with one is refused.
Hub
  `create_hub` and `open_hub` give a `Hub`; `Hub.read`, `Hub.summaries`, `Hub.dataset`; `import_layer` (with `Existing`, what
  to do with rows that are there, and `OldText`, with texts in TCVN3 or VNI), `export_dataset`, `list_datasets`; `Hub.lock` and `Hub.unlock` close and open a year or a plan.
Working copy
  `checkout` of what a `Scope` says, `WorkingCopy` (`status`, `edits`, `database`, an SQLite connection that is tracked like any program), `change_scope` with `enlarged` and `reduced`; `pull`, `push`;
  `conflicts`, `conflict_table`, `resolve` with a `Rule`.
By file
  `export_changes` (office), `apply_changes` and `export_update` (keeper of the hub; with `Hub.office` within that office's rights), `import_update` (office).
History
  `Hub.changesets`, `layer_as_of`, `difference_layer`, `Hub.revert`. A moment is a time with a zone or a changeset's number.
Administration
  `check_hub` (with `State`, `worst`, `findings_table`), `enter_gaps` (what was written past the ledger), `back_up`, `prove` (the restore drill), `restore`, `upgrade`; `set_department`, `set_person`,
  `remove_person`, `rights_table`, `people_table` with `Access`.

What may be expected (a stale push, a refusal, a conflict) is a value: `Outcome` in a receipt. Wrong input raises `InputError`,
what cannot be written `OutputError`, both with one sentence for people, Vietnamese unless ``set_language("en")`` is called.
A ``progress`` callable gets a fraction and a text, and may raise `Cancelled` to stop; nothing is left half done.

Examples
--------
A keeper makes a hub and fills it; an office takes a commune home, edits and sends.

>>> import geopandas, shapely
>>> hub = create_hub("tinh.gpkg", "EPSG:9214", name="Tỉnh thử")
>>> layer = geopandas.GeoDataFrame(
...     {"XA": ["19801", "19804"], "TO": ["1", "1"], "SO": [1, 2], "LOAI": ["ONT", "LUC"]},
...     geometry=[shapely.box(500000, 1800000, 500020, 1800030), shapely.box(500020, 1800000, 500040, 1800030)], crs=9214)
>>> report = import_layer(hub, "parcel", layer, source="bản đồ cũ",
...     field_mapping="old_commune_code = XA; commune_code = XA; sheet_no = TO; parcel_no = SO; land_code = LOAI")
>>> report.added, len(report.rejections)
(2, 0)

>>> parcel = hub.dataset("parcel")
>>> copy = checkout("xa.gpkg", hub, location="tinh.gpkg", crs=hub.info.crs, datasets=[parcel],
...                 scopes=[Scope("parcel", frozenset({"19801"}))])
>>> copy.database.execute("UPDATE parcel SET land_code = 'ODT'").rowcount  # as any program may
1
>>> [(line.count, line.changed) for line in copy.status()]
[(1, 1)]
>>> pull(copy, hub).conflicts
0
>>> push(copy, hub, author="lan", message="Biến động tháng 11").outcome
<Outcome.APPLIED: 'applied'>

What was, what changed, and taking it back:

>>> [note.message for note in hub.changesets()]
['Biến động tháng 11', 'Nhập lớp dữ liệu (import): bản đồ cũ']
>>> sorted(layer_as_of(hub, parcel, 1)["land_code"])
['LUC', 'ONT']
>>> difference_layer(hub, parcel, 1, 2)[["change", "changed_fields", "land_code"]].values.tolist()
[['changed', 'land_code', 'ODT']]
>>> hub.revert(2, message="Nhầm").outcome is Outcome.APPLIED
True

The same by e-mail or USB stick:

>>> copy.database.execute("UPDATE parcel SET note = 'Đã kiểm tra'").rowcount
1
>>> asked = export_changes(copy, "xa.qhz", author="lan", message="Ghi chú")
>>> [receipt.outcome for receipt in export_update(hub, "xa.qhz", "tra loi.qhz")]
[<Outcome.APPLIED: 'applied'>]
>>> import_update(copy, "tra loi.qhz").conflicts, copy.unsent()
(0, 0)

Every night:

>>> worst(check_hub(hub)) is State.GOOD
True
>>> back_up("tinh.gpkg", "sao luu.gpkg")
>>> prove("tinh.gpkg").passed
True
>>> copy.close(); hub.close()
"""

from ..common.errors import Cancelled, InputError, OutputError
from ..common.language import set_language
from .administration.administration import back_up, check_hub, enter_gaps, prove, restore, upgrade
from .administration.hub_create import create_hub
from .administration.offices import Access, people_table, remove_person, rights_table, set_department, set_person
from .changes import Outcome, Scope
from .findings import State, findings_table, worst
from .history.history import difference_layer, layer_as_of
from .hub import Hub, open_hub
from .hub_export import export_dataset
from .hub_list import list_datasets
from .imports.hub_import import Existing, import_layer
from .imports.old_text import OldText
from .working_copies.checkout import checkout
from .working_copies.conflict_review import Rule, conflict_table, conflicts, resolve
from .working_copies.exchange_file import apply_changes, export_changes, export_update, import_update
from .working_copies.pull import pull
from .working_copies.push import push
from .working_copies.scopes import enlarged, reduced
from .working_copies.working_copy import WorkingCopy
from .working_copies.working_copy_scope import change_scope

__all__ = [
    "Access", "Cancelled", "Existing", "Hub", "InputError", "OldText", "Outcome", "OutputError", "Rule", "Scope", "State", "WorkingCopy",
    "apply_changes", "back_up", "change_scope", "check_hub", "checkout", "conflict_table", "conflicts", "create_hub",
    "difference_layer", "enlarged", "enter_gaps", "export_changes", "export_dataset", "export_update", "findings_table", "import_layer",
    "import_update", "layer_as_of", "list_datasets", "open_hub", "people_table", "prove", "pull", "push", "reduced",
    "remove_person", "resolve", "restore", "rights_table", "set_department", "set_language", "set_person", "upgrade", "worst",
]
