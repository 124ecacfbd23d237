"""What a person sees in QGIS. Computes nothing; nothing else imports it."""
