"""Colours that colour-blind people tell apart too (Okabe and Ito 2008)."""

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
