"""Where an anomaly score comes from: attributions that add up, how well they agree with a mask, and checks on both."""
