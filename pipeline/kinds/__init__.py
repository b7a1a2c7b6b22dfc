"""One card per event type: roles, cues, frames, examples and near-misses, and the loader that checks them."""
