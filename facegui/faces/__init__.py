"""From pixels to embeddings: detection, alignment, quality, embedding."""
