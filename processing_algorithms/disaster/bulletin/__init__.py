"""Bulletins: what forecasters write, read into levels at stations; what is not sure is asked about, never guessed.

`stations` (names, alarm levels, zeros: the province fills them), `bulletin_words` (what is a level, what is not),
`bulletin_sentences` and `bulletin_table` (whose level), `bulletin_modes` (now, or a forecast), `bulletin_doubts` (held against alarm levels and records), `bulletin`
(all of it, with its questions), `bulletin_levels` (as a layer), `bulletin_file` (Word, Excel, text), `bulletin_text` (corrected
readings, in words again).
"""
