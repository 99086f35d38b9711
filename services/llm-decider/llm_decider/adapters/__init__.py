"""How llm-decider talks to the providers and to its own database."""
