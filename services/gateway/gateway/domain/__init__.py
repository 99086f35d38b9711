"""What is right: pure rules of configuration, access and read models."""
