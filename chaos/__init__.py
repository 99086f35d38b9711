"""Kills and cuts a real system, then checks from outside that its books agree."""
