"""A detector, its data and its decision in one document that needs nothing beside itself."""
