"""From images to features: a frozen network's pooled levels, streamed through an engine and cached by content."""
