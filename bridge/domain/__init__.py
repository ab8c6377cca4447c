"""The nouns, the money and the rules. Standard library only; no HTTP, no SQL, no Flask."""
