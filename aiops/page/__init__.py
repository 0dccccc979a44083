"""A run as one HTML page and as a step summary, made from its JSON report and nothing else.

Only `history` stands before the report: it picks the points of its pictures while the run has the samples.
Pure: text in, text out. The page asks for nothing: no script, no font, no picture from elsewhere.
"""
