"""What the paper compares with: each is fitted on an `ImageSet` and scores one, as the detector does."""
