"""Measurements. Their records lie beside them; nothing asserts a speed."""
