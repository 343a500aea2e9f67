"""Checks for the exercises of the notebooks, a module a notebook, named as it is without number.

from gru4rec_lab.exercises.losses_by_hand import check_bpr

def my_bpr(target, negatives):
    raise NotImplementedError

check_bpr(my_bpr)          # prints: bpr: not attempted yet
"""

from .check import Check

__all__ = ["Check"]
