"""Traffic: the street network as a graph, and what can be reached on it.

Terms: edge (a stretch of street between two nodes), origin, cost (metres or minutes), break (a cost that bounds a service area).
*Phạm vi phục vụ theo mạng lưới đường* is along streets; the *bán kính phục vụ* of QCVN 01 is a straight line and something else.

`network` (start here; packed arrays), made by `joining` (which vertices are one place) and `street_rules` (direction and speed,
with `direction_values`). `origins` and `snapping` (onto the network), `reach` (shortest paths within a cost), `breaks`, `shapes`
(exact parts of edges), `service_area` (all of it).
"""
