"""Lets `python -m reprogram` do what the command `reprogram` does."""

from reprogram.scripts.main import main

if __name__ == "__main__":
    main()
