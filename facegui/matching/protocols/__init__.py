"""Readers of verification protocols: which photos are to be compared, and whether they show one person.

Every format becomes one `PairSet`, so that the evaluation knows nothing of formats. `open_protocol` finds out by
itself what a file or folder is and where its photos lie.
"""

from facegui.matching.protocols.cfp import read_cfp
from facegui.matching.protocols.csv_list import read_csv
from facegui.matching.protocols.folders import pair_people
from facegui.matching.protocols.insightface_bin import read_bin
from facegui.matching.protocols.layouts import KINDS, Opened, open_protocol, read_pairs
from facegui.matching.protocols.lfw import read_lfw
from facegui.matching.protocols.lists import read_one_line, read_two_lines

__all__ = [
    "KINDS", "Opened", "open_protocol", "pair_people", "read_bin", "read_cfp", "read_csv", "read_lfw",
    "read_one_line", "read_pairs", "read_two_lines",
]  # fmt: skip
