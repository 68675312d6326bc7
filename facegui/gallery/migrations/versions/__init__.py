"""One module per version of the schema; see `facegui.gallery.upgrade`."""
