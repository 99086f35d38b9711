"""What QuantConnect means: parsing, judging, and words for people."""
