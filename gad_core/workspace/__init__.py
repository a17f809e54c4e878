"""What outlives a browser tab: data sets, detectors, adopted thresholds and jobs in one folder."""
