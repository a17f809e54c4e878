"""What the tool is measured by, in one table: both sides of every ratio in turn, within one run."""
