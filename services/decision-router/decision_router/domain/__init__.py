"""What is right: pure rules of arbitration, of what stands, and of approval."""
