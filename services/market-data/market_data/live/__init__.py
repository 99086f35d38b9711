"""The live feed: bars, quotes and news of a provider, as they come."""
