"""The database of people, photos, faces, embeddings and decisions."""
