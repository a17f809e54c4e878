"""What a defect must measure to be caught: synthetic defects on left-out normal images, probability of detection."""
