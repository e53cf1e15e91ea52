"""Stands in for piplite.piplite, which wants a newer micropip than this Pyodide has.

The site is complete: what a notebook imports is loaded from it, and nothing from elsewhere.
"""

import sys

# The folder of the notebook is looked into last, not first: each look is a question to the page, and every import would
# ask it, a hundred of them until the kernel is ready.
if "" in sys.path:
    sys.path.remove("")
    sys.path.append("")

_PIPLITE_DISABLE_PYPI = False  # the kernel sets both
_PIPLITE_URLS = []


async def install(requirements, **_options):
    """Load packages that the site has. Raises ValueError for any other."""
    import pyodide_js
    from pyodide.ffi import to_js

    names = [requirements] if isinstance(requirements, str) else list(requirements)
    try:
        await pyodide_js.loadPackage(to_js(names))
    except Exception as error:
        raise ValueError(f"this site has what the course needs, and installs nothing from elsewhere: {error}") from None


__all__ = ["install"]
