"""Land balance of a plan: `land_balance` (areas that close to the boundary), `land_balance_norms` (land per
person, by `service_norms`: the tighter of nation and province),
`stated_balance` (a consultant's Excel table), `land_balance_workbook`."""
