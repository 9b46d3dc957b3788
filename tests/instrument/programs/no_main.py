"""Has no entry point of the name that the script wants."""
# run: => 1 nothing
