"""Formulas of derivatives as people write them: what they consist of, read from text, written as text."""
