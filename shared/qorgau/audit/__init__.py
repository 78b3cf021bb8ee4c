"""The audit chain of a service: who did what, in a form in which a change, a gap or a lost end is found later."""
