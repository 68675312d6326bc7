"""Folders of photos, indexed and ranked by similarity."""
