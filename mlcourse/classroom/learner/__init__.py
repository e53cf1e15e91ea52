"""What is the learner's own: progress, exercises (reset, update), what a notebook's cells say. Knows no class."""
