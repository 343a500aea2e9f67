"""A small set in the exact form of the e-shop clicks, and its recipe: counted by hand."""

from dataclasses import replace
from hashlib import sha256

from gru4rec_lab.data.recipes import RECIPES

HEADER = (
    "year;month;day;order;country;session ID;page 1 (main category);page 2 (clothing model);"
    "colour;location;model photography;price;price 2;page"
)
# 11 clicks, 4 sessions, 3 items; 3 clicks on the item clicked just before.
CLICKS = f"""{HEADER}
2008;4;1;1;29;1;1;A1;1;5;1;28;2;1
2008;4;1;2;29;1;1;A1;1;5;1;28;2;1
2008;4;1;3;29;1;1;A1;1;5;1;28;2;1
2008;4;1;4;29;1;2;B1;1;5;1;28;2;1
2008;4;1;5;29;1;1;A1;1;5;1;28;2;1
2008;4;1;2;29;2;3;C7;1;5;1;28;2;1
2008;4;1;1;29;2;1;A1;1;5;1;28;2;1
2008;3;31;1;29;3;2;B1;1;5;1;28;2;1
2008;4;3;1;29;4;2;B1;1;5;1;28;2;1
2008;4;2;3;29;4;2;B1;1;5;1;28;2;1
2008;4;2;2;29;4;3;C7;1;5;1;28;2;1
"""
IN_ORDER = b"""SessionId,ItemId,Time
1,A1,1207008000
1,A1,1207008000
1,A1,1207008000
1,B1,1207008000
1,A1,1207008000
2,A1,1207008000
2,C7,1207008000
3,B1,1206921600
4,C7,1207094400
4,B1,1207094400
4,B1,1207180800
"""
SMALL = replace(
    RECIPES["e-shop"],
    name="small",
    file="small shop.csv",
    n_clicks=11,
    n_sessions=4,
    n_items=3,
    sha256=sha256(IN_ORDER).hexdigest(),
)
