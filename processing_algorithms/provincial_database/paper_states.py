"""When a planning-information paper may still change; both hubs keep it by trigger, whoever writes.

A draft and a submitted paper may be changed and deleted. To be signed a paper needs what it will be judged by: number,
date, digest and snapshot. From then on nothing of it changes but its state, to replaced or withdrawn.
"""

from __future__ import annotations

from .catalogue.model import Dataset

#: States in which nothing may change.
FINAL = ("signed", "replaced", "withdrawn")
SIGNED = "signed"
#: What may become of a signed paper.
AFTER_SIGNED = ("replaced", "withdrawn")
#: Fields without which a paper cannot be signed.
NEEDED = ("paper_number", "issued_date", "content_digest", "snapshot")
UNCHANGEABLE = ("Văn bản đã ký, phát hành không được sửa, xóa; hãy lập văn bản thay thế (a signed paper cannot be changed "
                "or deleted).")
INCOMPLETE = ("Văn bản đã ký phải có số, ngày văn bản và bản chụp dữ liệu (a signed paper needs number, date and "
              "snapshot).")


def keeps_signed(dataset: Dataset) -> bool:
    """Tell whether rows of this dataset are papers that are kept once signed."""
    return dataset.id == "D19" and "status" in dataset.field_names
