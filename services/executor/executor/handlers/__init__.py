"""When the executor acts: verdicts, quotes, time, commands."""
