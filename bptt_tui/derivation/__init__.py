"""The derivation: how names are written at a timestep, local partials as formulas, chains from E."""
