"""Exports of dispatch systems as facts; `commands/import_cad.py` is their command."""
