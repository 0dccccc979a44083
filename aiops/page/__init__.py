"""A run as one HTML page and as a step summary, made from its JSON report and nothing else.

Pure: text in, text out. The page asks for nothing: no script, no font, no picture from elsewhere.
"""
