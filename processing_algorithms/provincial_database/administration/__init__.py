"""The administrator's work: hubs made, checked, saved, restored and upgraded, and who may do what in them.

`hub_create`, `administration` (checking, saving, the restore drill), `offices` (departments, people, rights), `own_rights` (what
the person at the desk may do), `schema_growth` (new fields and datasets, while people hold edits not sent yet).
"""
