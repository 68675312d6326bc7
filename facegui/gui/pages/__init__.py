"""One module per page; each answers one question."""
