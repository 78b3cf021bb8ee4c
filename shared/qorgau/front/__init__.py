"""What services have in common towards the outside: the door for facts, reads, references, lists, limits."""
