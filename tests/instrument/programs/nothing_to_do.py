"""Does nothing at all."""
# run:


def main():
    pass
