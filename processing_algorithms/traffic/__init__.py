"""Traffic: the street network as a graph, and what can be reached on it.

Terms: edge (a stretch of street between two nodes), origin, cost (metres or minutes), break (a cost that bounds a
service area). *Phạm vi phục vụ theo mạng lưới đường* is along streets; the *bán kính phục vụ* of QCVN 01 is a
straight line and something else. Start with `network`, made with `joining` (which ends are one place), `street_rules` and
`direction_values` (where one may go, and how fast); then `service_area`, on `origins` (where trips start), `snapping` (onto
the network), `breaks` (costs people type), `reach` (shortest paths) and `shapes` (what the reached streets cover).
"""
