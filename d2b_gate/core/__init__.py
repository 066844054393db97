"""Pure types and judgement: no I/O, no clock, no torch; seeds are arguments."""
