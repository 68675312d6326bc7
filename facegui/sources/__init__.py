"""Where pictures come from: files and cameras."""
