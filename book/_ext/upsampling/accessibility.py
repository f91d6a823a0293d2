"""Accessibility that the theme leaves out."""


def setup(app):
    """Load the script that lets the keyboard reach whatever scrolls."""
    app.add_js_file("upsampling.js", loading_method="defer")
