"""Pictures as SVG text: a flow, bars, and the tiny line of a customer's scores.

They carry no style and no script, only classes; colours come from the page's stylesheet, so dark mode and
printing need nothing here. Each picture stands beside a table of the same numbers.
"""

from recovery.pictures.bars import Bar, bar_svg
from recovery.pictures.curve import Curve, Point, curve_svg
from recovery.pictures.flow import Flow, Link, Node, flow_svg
from recovery.pictures.heat import Cell, Grid, heat_svg
from recovery.pictures.paper import NARROW, WIDE, Labels
from recovery.pictures.sparkline import sparkline_svg
from recovery.pictures.waterfall import Lost, Stage, waterfall_svg

__all__ = [
    "NARROW",
    "WIDE",
    "Bar",
    "Cell",
    "Curve",
    "Flow",
    "Grid",
    "Labels",
    "Link",
    "Lost",
    "Node",
    "Point",
    "Stage",
    "bar_svg",
    "curve_svg",
    "flow_svg",
    "heat_svg",
    "sparkline_svg",
    "waterfall_svg",
]
