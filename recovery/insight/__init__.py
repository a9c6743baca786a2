"""Every number about recovery, read from the same rows the timeline shows. It only reads.

Doors hand in the tickets their reader may see (recovery.access) and the time; nothing here widens either.
"""
