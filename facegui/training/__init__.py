"""ArcFace itself: margins, heads, networks, data, training and export (extra ``train``; the program never imports it).

Everything here but `facegui.training.prepare` needs PyTorch.
"""
