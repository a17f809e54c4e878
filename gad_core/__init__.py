"""Gaussian anomaly detection for images: the core that the dashboard and the command line share."""
