"""Where an anomaly score comes from: attributions that add up, how well they meet a mask, and checks on both."""
