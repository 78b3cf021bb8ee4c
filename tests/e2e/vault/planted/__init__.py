"""What is loaded into services under test; nothing in here is part of them."""
