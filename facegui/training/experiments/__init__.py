"""Experiments that show what the margins do, on digits and small pictures, in minutes on two cores.

``python -m facegui.training.experiments`` runs them; each keeps its figures as JSON, its recordings as arrays without
pickles, and draws its pictures. The README's table is made from those files.
"""
