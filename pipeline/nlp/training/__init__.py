"""Training of the event classifier: corpus of invented stories, its check, the encoder in PyTorch, and scoring."""
