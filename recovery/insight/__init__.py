"""Every number about recovery, read from the same rows the timeline shows. It only reads; what it has told
once it keeps for itself (`telling`).

Doors hand in the tickets their reader may see (recovery.access) and the time; nothing here widens either.
"""
