"""Specs, judge and grading for the course *Upsampling by Hand*."""
