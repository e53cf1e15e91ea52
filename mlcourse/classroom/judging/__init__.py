"""An answer becomes a verdict: problem, compare, contain, verdict. Knows no problem and no progress."""
