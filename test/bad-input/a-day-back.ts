// Loaded into a process before anything else: its clock is a day behind what was recorded so far.
const DAY_MS = 86_400_000;
const now = Date.now;
Date.now = () => now() - DAY_MS;
