"""Measures the money path beside the least that any program could do for the same promises."""
