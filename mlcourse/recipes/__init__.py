"""Every way to get a meta-gradient wrong, and which one this is.

recipe, ingredients       any way to make a meta-gradient, from value, grad and hvp alone
deviations                the wrong settings by name, each with a sentence that teaches (deviations.toml)
explaining                the fewest deviations that give what was found
differences, measured     losses given as plain functions: derivatives by central differences
diagnosis                 `diagnose`: an implementation in any framework
"""
