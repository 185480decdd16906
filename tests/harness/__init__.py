"""What the system, peer and lab tests have in common: a VMM to start, and ways to look at it.

Only the standard library is used, and none of the project's own code: what these modules say about
a picture or a protocol is a second opinion.
"""
