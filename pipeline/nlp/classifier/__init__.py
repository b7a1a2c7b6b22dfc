"""The trained claim classifier: corpus, training, weights and what runs them."""
