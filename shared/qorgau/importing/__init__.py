"""What other systems export or send as facts; `commands/import_data.py` has the commands."""
