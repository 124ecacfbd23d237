"""The annex to the quick report: `flood_report` (bulletin to figures), `flood_report_watch`, `flood_report_columns`, `flood_report_tables`, `flood_report_words` (ten lines to
paste), `flood_report_pages` (text of the PDF), `flood_report_files`, `report_previous` (what the last report said)."""
