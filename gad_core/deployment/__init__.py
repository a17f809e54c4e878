"""What a detector bears of another camera, lamp or pipeline, what its success rests on, and what mends it."""
