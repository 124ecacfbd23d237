"""Lam Trạch: an invented riverside town for trying, testing and timing QuyHoach.

Everything is computed from `place` (where, how large, which seed): no input data, the same bytes each time.
`watercourses` and `street_plan` draw the skeleton, `town` puts the layers together, `benchmark_town` scales the
same fabric to a million parcels. Units are metres; coordinates are local (origin at the lower left corner) until
`write_layers` moves them to VN-2000 / TM-3 107-00. The town, its people, codes, decisions and floods do not exist.
"""
