"""Emil has not begun."""
