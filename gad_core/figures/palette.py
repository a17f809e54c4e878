"""The colours of all figures: Okabe and Ito's, told apart with every kind of colour vision."""

LEFT_OUT, NORMAL, DEFECT = "#0072B2", "#56B4E9", "#D55E00"
PROMISE, FINITE_SAMPLE, SELECTED = "#8A95A0", "#009E73", "#F0E442"
INK = "#10171E"  # texts and thresholds; assets/style.css turns it light on a dark page
GRID = "rgba(128, 138, 148, 0.22)"

METHOD_COLOURS = {
    "chi2": PROMISE,
    "hotelling": "#CC79A7",
    "cross-conformal": FINITE_SAMPLE,
    "cross-confident": FINITE_SAMPLE,
    "cross-simultaneous": FINITE_SAMPLE,
    "split-conformal": "#E69F00",
    "split-confident": "#E69F00",
    "split-simultaneous": "#E69F00",
    "pareto": "#8A6D3B",
}
METHOD_NAMES = {
    "chi2": "Chi-square",
    "hotelling": "Hotelling",
    "cross-conformal": "Cross-conformal",
    "cross-confident": "Cross-conformal, 95 % confident",
    "cross-simultaneous": "Cross-conformal, 95 % confident at every target",
    "split-conformal": "Split-conformal",
    "split-confident": "Split-conformal, 95 % confident",
    "split-simultaneous": "Split-conformal, 95 % confident at every target",
    "pareto": "Pareto tail",
}

#: Curves of one kind that are told apart by name, such as those of several contrasts.
FAMILY = ("#56B4E9", "#0072B2", "#009E73", "#E69F00", "#CC79A7")

#: Low to high: dark to bright, for every eye.
SCALE = [[0, "#0b2545"], [0.35, "#0072B2"], [0.7, "#56B4E9"], [1, "#F7F4D9"]]


def faint(colour: str, opacity: float) -> str:
    """A colour `#rrggbb` that lets `1 - opacity` of what lies below shine through."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"
