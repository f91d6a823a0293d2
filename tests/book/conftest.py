"""Make the book's own modules importable, as they are when the book is built."""

import sys
from pathlib import Path

BOOK = Path(__file__).parents[2] / "book"
sys.path[:0] = [str(BOOK), str(BOOK / "_ext")]
