"""What is told of people, planted to be found again, and looked for wherever it must not be."""
