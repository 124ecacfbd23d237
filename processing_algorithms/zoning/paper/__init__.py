"""The planning-information paper (văn bản cung cấp thông tin quy hoạch), drafted for layers or for pasted `corners` (their lines:
`corner_lines`).

`parcel_certificate` (for one parcel or thousands), `corner_files`, `paper_inputs` (all a paper is made from, as plain data),
`paper_words` (what it says), `planning_paper` (made into a snapshot once, written from it ever after), `paper_snapshot` (canonical
text, digest, short code), `paper_register` (in a hub), `paper_now` and `paper_verify` (paper against register, register against
today's data).
"""
