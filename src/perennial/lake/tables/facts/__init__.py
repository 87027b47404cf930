"""What is imported and received: facts, by what they are about."""
