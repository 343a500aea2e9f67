"""The picture of a panel, drawn in the browser by small modules of JavaScript without a library.

Its `*.js` and plot.css are package data: `view` gives them to Jupyter, other pages may take them
from `modules`.
"""
