"""What the Help page says: the method, the words, the keys."""

#: Picture, title and text of each step of the method; the numbers of equations are the paper's.
METHOD = (
    (
        "features.svg",
        "Features",
        "A network that was trained on everyday photos, and is not trained any further, looks at each part. Each of "
        "its levels gives one number a channel, averaged over the image: textures early, whole structures late.",
    ),
    (
        "distance.svg",
        "A Gaussian for each level",
        "Mean and covariance of the good parts say which differences are usual. The Mahalanobis distance (eq. 3) "
        "counts in units of that spread: a step across it weighs more than one along it. Distances of levels add up.",
    ),
    (
        "left_out.svg",
        "Left-out parts set the threshold",
        "Chi-square (eq. 6) promises a rate of false alarms as if mean and covariance were known exactly. They are "
        "estimated; so each fold of good parts is scored by a fit without it, and their distances set the threshold.",
    ),
    (
        "attribution.svg",
        "Where a score comes from",
        "A map gives each pixel its share of the score's distance from that of good parts; the shares add up to it "
        "exactly, and the maps of the levels add up to the map. So it shows whether the defect itself was seen.",
    ),
)

GLOSSARY = (
    ("good part", "A part as it should be. A detector is fitted to images of good parts alone."),
    ("defect", "Anything else in test/: used to check a detector, never to fit it."),
    ("level", "One depth of the network with all its feature maps; level 1 sees small textures, the last large forms."),
    ("sum", "The distances of the chosen levels added up (eq. 4)."),
    ("region", "A cell of a grid over the image, with a Gaussian of its own: small defects stand out there."),
    ("region of interest", "The part of every image that is inspected; regions outside it carry no weight."),
    ("distance", "How far an image lies from the Gaussian of good parts; higher is more anomalous."),
    (
        "score",
        "The number an image is judged by: the distance at one level, the sum, or what regions are pooled to.",
    ),
    ("reduction", "Which principal components are kept."),
    ("PCA 99 %", "The strongest components that together carry 99 % of the variance."),
    ("NPCA 5 %", "The weakest components that together carry 5 % of the variance. They discriminate well."),
    ("spectrum", "The variances of all principal components, from the strongest to the weakest."),
    ("band", "Components of alike variance, taken together: single ones turn into each other from fit to fit."),
    ("null", "A direction in which the good parts do not differ at all; there are many where images are few."),
    (
        "shrinkage",
        "How far the covariance is pulled towards a sphere, from 0 to 1 (Ledoit and Wolf). Near 1 none is left.",
    ),
    ("threshold", "The distance above which an image is flagged. The one in use is adopted."),
    ("working point", "A threshold with where it comes from, its target and the rates it gives."),
    ("false positive rate (FPR)", "The share of good parts that are flagged: false alarms."),
    ("target", "The false positive rate that is acceptable."),
    ("promised", "The false positive rate that chi-square or another method states in advance."),
    ("left-out", "Scored by a fit without it, as a new part would be."),
    ("cross-conformal", "A threshold from the left-out distances of all good parts."),
    ("split-conformal", "A threshold from good parts kept apart; its promise holds for any number of images."),
    (
        "95 % confident",
        "A threshold whose rate stays below the target in 95 of 100 calibrations (a rank's rate follows a Beta law); "
        "at every target: whichever one is chosen after looking (exact band of equal local levels).",
    ),
    ("Pareto tail", "A law fitted to the highest distances, for rates that n parts cannot show; without guarantee."),
    ("a90, a90/95", "The size at which 90 of 100 defects are caught, and that size with 95 % confidence."),
    ("review band", "Between two thresholds a person decides; above the stricter one a part is rejected."),
    ("decision", "A threshold that was adopted, restored or withdrawn: who, when and why stays on record."),
    ("martingale", "Evidence that good parts no longer score as they did; it may be read after every part."),
    ("recalibrate", "Make a newer version of a detector whose threshold comes from good parts of the line."),
    ("interval", "Where the true value lies with 95 % confidence; it narrows as n grows."),
    ("ROC, AUROC", "Caught defects over false alarms at every threshold, and the area below: 50 % is chance."),
    ("split-half estimate", "What a choice made on one half of the images is worth on the other."),
    ("mask", "An image that is white where the defect is."),
    (
        "explanation score",
        "How well an attribution map agrees with the mask, up to 100; chance alone is stated beside it.",
    ),
    (
        "strategy",
        "A cluster of images whose attribution maps are alike (SpRAy): what the detector goes by in them, whether that "
        "is the defect or something beside it. No label is used to find it.",
    ),
    (
        "deployment shift",
        "What changes when another camera, lamp or pipeline takes the pictures: a success that rests on how images "
        "were taken goes with it.",
    ),
    ("Clever Hans", "A detector that is right for the wrong reason, such as a stamp that all defective parts bear."),
)

KEYS = (
    ("Tab, Shift + Tab", "go to the next or the previous control; the ring shows where you are"),
    ("Enter, Space", "press a button, open a list, tick a box"),
    ("← →", "move a slider by one step, or go through the views of a chart"),
    ("Home, End", "move a slider to its first or last step"),
    ("G, D", "on Inspect: call the open part good or defective, and go on to the next"),
    ("Esc", "close a dialog or a list"),
)
