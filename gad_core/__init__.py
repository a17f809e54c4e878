"""Gaussian anomaly detection for images: data, features, Gaussians, decisions and the workspace behind the dashboard."""
