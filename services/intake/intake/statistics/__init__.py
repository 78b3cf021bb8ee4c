"""Reports counted by region and channel: surges as flags of F8, and monthly tables that may be published."""
