"""Loads the hypothesis profile of the whole suite."""

import hypothesis_profiles  # noqa: F401
