"""What is a class's: solutions become exercises, a course is laid out, notebooks are executed and marked."""
