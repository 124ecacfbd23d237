"""Small rows and changesets for the tests of the PostGIS hub."""

import uuid

import shapely
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Scope


def square(x=0.0, y=0.0, side=10.0):
    return shapely.to_wkb(shapely.MultiPolygon([shapely.box(x, y, x + side, y + side)]), byte_order=1, flavor="iso")


def parcel(hub, **values):
    row = dict.fromkeys(hub.datasets["parcel"].field_names)
    return row | {"old_commune_code": "00001", "commune_code": "25001", "sheet_no": "1", "parcel_no": 1,
                  "land_code": "ONT", "geom": square()} | values


def changeset(*changes, **more):
    values = {"changeset_id": str(uuid.uuid4()), "author": "lan", "department": "land", "message": "đo lại",
              "decision_no": "12/QĐ", "made_at": "2026-11-22T01:02:03.004Z"}
    return Changeset(**values | more, changes=tuple(changes))


def new(row, feature_id=None):
    return Change("parcel", feature_id or str(uuid.uuid4()), None, row)


def delivered(hub, since=None, scope=Scope("parcel")):
    with hub.deliver([scope], since) as delivery:
        rows = {feature_id: row for _, feature_id, row in delivery.rows}
        return delivery.position, delivery.whole, rows
