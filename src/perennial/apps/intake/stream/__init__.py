"""From the inbox into the lake, every event once.

The way of a request: `reading` (JSON -> one row a call) -> `steps` (which calls
cannot be taken, and why) -> `people` (who is meant: users, accounts, memberships,
identities) -> the lake. `loader` puts them together, and leaves a request in the
inbox until all of it is in the lake: a loader that is killed anywhere is run again
over the same requests and changes nothing twice, because events are inserted once
by their id and everything else is the same whatever the order and number of tries.
"""
