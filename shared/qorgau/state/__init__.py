"""What a service's cases look like to the people who work with them: rows of lists, made of facts and deadlines."""
