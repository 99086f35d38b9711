"""What a decision is: prompts, snapshots, answers, budgets and outcomes."""
